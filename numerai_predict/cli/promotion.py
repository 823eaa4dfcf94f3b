"""`numerai-predict registry promote`: the gates in turn, then the alias."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from numerai_predict.cli.options import data_dir
from numerai_predict.cli.promotion_gates import PromotionCheck, PromotionGate
from numerai_predict.cli.registered_models import copy_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.registry_errors import PromotionRefused
from numerai_predict.diagnostics.promotion_rule import PromotionRule, Requirement
from numerai_predict.registry.reference import PRODUCTION, Reference
from numerai_predict.registry.registry import Registry
from numerai_predict.tournament.settings import read_account_settings


def promote(registry: Registry, options: argparse.Namespace) -> str:
    """Promote a version if no gate blocks it; returns the message of success.

    Raises:
        PromotionRefused: a gate blocks, and the promotion is not forced.
        RegistryError: there is no such version, or its files differ.
    """
    number = registry.version(options.reference).number
    reference = Reference(options.reference.name, number, None)
    gates = []
    for gate in _promotion_check(registry, reference, options).gates():
        print(one_line(gate), flush=True)
        gates.append(gate)
    _require_passed(gates, reference, options.force)
    event = registry.set_alias(reference, PRODUCTION, _reason(options))
    return f"{reference.name}@{PRODUCTION} is version {event.version}"


def _reason(options: argparse.Namespace) -> str | None:
    """Why the version was promoted, for the history; `None` without a reason."""
    reason: str | None = options.force or options.reason
    if not options.approved_by:
        return reason
    approval = f"approved by {options.approved_by}"
    return f"{reason}; {approval}" if reason else approval


def _promotion_check(
    registry: Registry, reference: Reference, options: argparse.Namespace
) -> PromotionCheck:
    return PromotionCheck(
        registry=registry,
        reference=reference,
        pickle=copy_of(registry, reference),
        data=data_dir(options) / options.data_version,
        data_version=options.data_version,
        limits=read_account_settings().limits.of_model(reference.name),
        rule=PromotionRule(Requirement(options.require), options.confidence),
        needs_approval=os.environ.get("NUMERAI_PROMOTION_APPROVAL") == "required",
        approved_by=options.approved_by,
        no_container=options.no_container,
        deadline=Deadline.after(options.deadline),
    )


def _require_passed(
    gates: Sequence[PromotionGate], reference: Reference, forced: str | None
) -> None:
    blocking = [gate for gate in gates if not gate.passed]
    if blocking and not forced:
        names = ", ".join(gate.name for gate in blocking)
        raise PromotionRefused(
            f"expected all gates of {reference} to pass, found blocked by: {names}",
            "the gates' findings are above; --force REASON overrides them",
        )
