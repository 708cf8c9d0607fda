"""Component types of LEMS as values, and those that NeuroML itself defines for channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Derived:
    """A derived variable.

    Attributes:
        cases: Conditions and values as written, tried in order; an absent condition always holds.
        select: Path to what it reads from parts instead, such as ``subGate[*]/qfrac``.
        reduce: add or multiply, where the path leads to several.
    """

    cases: tuple[tuple[str | None, str], ...] = ()
    select: str | None = None
    reduce: str | None = None


@dataclass(frozen=True)
class DynamicsType:
    """What a component type says of its dynamics; all quantities in SI units.

    Attributes:
        name: Its name.
        extends: Name of the type that it extends.
        constants: Constants, fixed parameters, and defaults of properties.
        variables: Derived parameters and variables by name.
        derivatives: Time derivatives of its state variables, as written.
        exposures: Names of what it exposes.
        states: Names of its state variables.
        parameters: Names of its parameters.
    """

    name: str
    extends: str | None = None
    constants: Mapping[str, float] = field(default_factory=dict)
    variables: Mapping[str, Derived] = field(default_factory=dict)
    derivatives: Mapping[str, str] = field(default_factory=dict)
    exposures: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Component:
    """An instance of a component type with all that stands in it.

    Attributes:
        role: Name of its element.
        type: Name of its type.
        id: Its id; empty where it has none.
        values: Its parameters in SI units.
        links: Its other attributes, such as the states between which a transition leads.
        parts: Components in it.
    """

    role: str
    type: str
    id: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Component, ...] = ()


def _formula(text: str) -> Derived:
    return Derived(((None, text),))


def _type(name: str, extends: str | None = None, **formulas: str | Derived) -> DynamicsType:
    variables = {
        variable: _formula(text) if isinstance(text, str) else text
        for variable, text in formulas.items()
    }
    return DynamicsType(name, extends, variables=variables)


_X = "(v - midpoint) / scale"
_EXP, _SIGMOID = f"rate * exp({_X})", f"rate / (1 + exp(-{_X}))"
_EXP_LINEAR = Derived((("x .neq. 0", "rate * x / (1 - exp(-x))"), (None, "rate")))
_EXP_LINEAR_VARIABLE = Derived((("a .neq. 0", "rate * a / (1 - exp(-a))"), (None, "rate")))
_Q10 = "q10Factor ^ ((temperature - experimentalTemp) / 10)"
_SCALE = Derived(select="q10Settings[*]/q10", reduce="multiply")
_ALPHA, _BETA = Derived(select="forwardRate/r"), Derived(select="reverseRate/r")
_INF, _TAU = Derived(select="steadyState/x"), Derived(select="timeCourse/t")
_KT_OVER_E_V = 0.0253
"""As NeuroML's vHalfTransition has it, at any temperature."""

STANDARD_TYPES: Mapping[str, DynamicsType] = {
    one.name: one
    for one in (
        _type("HHExpRate", r=_EXP),
        _type("HHSigmoidRate", r=_SIGMOID),
        _type("HHExpLinearRate", x=_X, r=_EXP_LINEAR),
        _type("HHExpVariable", x=_EXP),
        _type("HHSigmoidVariable", x=_SIGMOID),
        _type("HHExpLinearVariable", a=_X, x=_EXP_LINEAR_VARIABLE),
        _type("fixedTimeCourse", t="tau"),
        _type("q10Fixed", q10="fixedQ10"),
        _type("q10ExpTemp", q10=_Q10),
        _type("gate", rateScale=_SCALE),
        _type("gateHHrates", "gate", alpha=_ALPHA, beta=_BETA,
              inf="alpha / (alpha + beta)", tau="1 / ((alpha + beta) * rateScale)"),
        _type("gateHHtauInf", "gate", inf=_INF, tauUnscaled=_TAU, tau="tauUnscaled / rateScale"),
        _type("gateHHratesTau", "gateHHrates", tauUnscaled=_TAU, tau="tauUnscaled / rateScale"),
        _type("gateHHratesInf", "gateHHrates", inf=_INF),
        _type("gateHHratesTauInf", "gateHHratesTau", inf=_INF),
        _type("gateHHInstantaneous", "gate", inf=_INF, tau="0"),
        _type("gateFractional", "gate", inf=Derived(select="subGate[*]/share", reduce="add")),
        _type("subGate", inf=_INF, tauUnscaled=_TAU, tau="tauUnscaled / rateScale",
              share="inf * fractionalConductance"),
        _type("gateKS", "gate"),
        _type("forwardTransition", rf=Derived(select="rate/r"), rr="0"),
        _type("reverseTransition", rf="0", rr=Derived(select="rate/r")),
        _type("tauInfTransition", tau=_TAU, inf=_INF, rf="inf / tau", rr="(1 - inf) / tau"),
        _type("vHalfTransition",
              x=f"z * (v - vHalf) / {_KT_OVER_E_V}",
              rf="1 / (tau * exp(-gamma * x) + tauMin)",
              rr="1 / (tau * exp((1 - gamma) * x) + tauMin)"),
    )
}  # fmt: skip
"""The classes of NeuroML 2 whose values depend on the potential, by name."""
