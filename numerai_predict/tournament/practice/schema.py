"""The GraphQL schema with its resolvers."""

from __future__ import annotations

from importlib.resources import files

from ariadne import make_executable_schema
from graphql import GraphQLSchema

from numerai_predict.tournament.practice import mutation_resolvers, query_resolvers

_FILE = files("numerai_predict.tournament.practice") / "schema.graphql"


def build_schema() -> GraphQLSchema:
    """The executable schema of the practice server."""
    text = _FILE.read_text()
    return make_executable_schema(
        text, query_resolvers.query, mutation_resolvers.query, mutation_resolvers.mutation
    )
