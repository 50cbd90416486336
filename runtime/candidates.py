"""What could run a bundle here: which variant, by which delegate, in which runtime package."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.delegates import CPU, Terms, delegate_named, delegate_names, is_library
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import installed_runtimes
from edgecrnn.runtime.manifest import CERTIFICATE, Variant

EXTERNAL = "external"


@dataclass(frozen=True)
class Candidate:
    """One way to run a bundle."""

    variant: str
    delegate: str
    terms: Terms

    @property
    def title(self) -> str:
        """The delegate, and the library where one is named."""
        return f"{self.delegate} {self.terms.library}".strip()


def candidate_of(facts: Mapping[str, Any]) -> Candidate:
    """What `dataclasses.asdict` made of one."""
    return Candidate(facts["variant"], facts["delegate"], Terms(**facts["terms"]))


def bundle_order(bundle: Bundle) -> tuple[str, ...]:
    """The bundle's delegates, the profile's first choice first; the CPU is the last way out."""
    named = [name for name, facts in _deployments(bundle).items() if not facts.get("refused")]
    suited = [name for variant in bundle.manifest.variants for name in variant.delegates]
    known = set(delegate_names())
    order = [name for name in dict.fromkeys([*named, *suited]) if name in known]
    return tuple(order) if CPU in order else (*order, CPU)


def candidate(
    bundle: Bundle, delegate: str, variant: str | None = None, terms: Terms | None = None
) -> Candidate:
    """The way to run the bundle by a delegate.

    Args:
        bundle: whose certificate names the library and its options.
        delegate: a name, or the path of a library.
        variant: None for the first that suits the delegate.
        terms: options and package that were asked for; they win over the bundle's.

    Raises:
        EdgecrnnError: there is no such delegate or variant, or none suits.
    """
    given = terms or Terms()
    if is_library(delegate):
        given, delegate = dataclasses.replace(given, library=delegate), EXTERNAL
    chosen = bundle.variant(variant) if variant else suited(bundle, delegate)[0]
    facts = _deployments(bundle).get(delegate, {})
    # A library that a person names has options of its own.
    known: Mapping[str, Any] = {} if given.library else facts
    options = {str(k): str(v) for k, v in dict(known.get("options") or {}).items()}
    complete = dataclasses.replace(
        given,
        library=given.library or str(known.get("library") or ""),
        options={**options, **given.options},
    )
    return Candidate(chosen.name, delegate, complete)


def suited(bundle: Bundle, delegate: str) -> list[Variant]:
    """The variants that a delegate can run, the preferred first.

    Raises:
        EdgecrnnError: there is no such delegate, or the bundle has nothing for it.
    """
    takes = delegate_named(delegate).VARIANTS
    variants = bundle.manifest.variants
    # The variant whose first delegate it is was chosen for it.
    meant = sorted(
        (v for v in variants if delegate in v.delegates), key=lambda v: v.delegates[0] != delegate
    )
    named = {variant.name: variant for variant in variants}
    found = meant or [named[name] for name in takes if name in named]
    if not found and not takes:
        found = list(variants)
    if not found:
        raise EdgecrnnError(
            f"{delegate}: expected a variant for it in the bundle ({' or '.join(takes)}), got "
            f"{', '.join(named)}; convert for a device whose profile has it"
        )
    return found


def all_candidates(
    bundle: Bundle,
    delegates: Sequence[str],
    variant: str | None = None,
    package: str | None = None,
    options: Mapping[str, str] | None = None,
) -> list[Candidate]:
    """Every variant that suits, by each delegate, in each runtime package that is installed.

    A delegate that the bundle has nothing for is left out.
    """
    packages = [package] if package else list(installed_runtimes())
    found = []
    for name in delegates:
        try:
            kind = EXTERNAL if is_library(name) else name
            variants = [variant] if variant else [v.name for v in suited(bundle, kind)]
        except EdgecrnnError:
            continue
        loaders = [each for each in packages if each in delegate_named(kind).PACKAGES]
        for one in variants:
            for each in loaders:
                terms = Terms(options=dict(options or {}), package=each)
                found.append(candidate(bundle, name, one, terms))
    return found


def _deployments(bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Delegate to what the certificate says of it, in the profile's order; {} where it cannot."""
    try:
        certificate = json.loads(bundle.read(CERTIFICATE))
        return {
            str(each["delegate"]): {**dict(each.get("facts") or {}), "refused": each["refused"]}
            for each in certificate["deployments"]
        }
    except (LookupError, TypeError, ValueError, AttributeError):
        return {}
