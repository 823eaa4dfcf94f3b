"""What a terminal shows: states and their colours, and tables that fit its width."""
