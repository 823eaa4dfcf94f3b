"""The options of each command: `add_options(parser)`, without slow imports or extras."""
