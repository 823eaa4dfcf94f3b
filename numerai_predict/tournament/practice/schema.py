"""The GraphQL schema with its resolvers."""

from __future__ import annotations

from pathlib import Path

from ariadne import load_schema_from_path, make_executable_schema
from graphql import GraphQLSchema

from numerai_predict.tournament.practice import mutation_resolvers, query_resolvers

_FILE = Path(__file__).parent / "schema.graphql"


def build_schema() -> GraphQLSchema:
    """The executable schema of the practice server."""
    text = load_schema_from_path(_FILE)
    return make_executable_schema(
        text, query_resolvers.query, mutation_resolvers.query, mutation_resolvers.mutation
    )
