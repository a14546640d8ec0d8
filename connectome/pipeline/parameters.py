"""The one table of a build's parameters.

A row says what a parameter is called, what it may be, what it is where nobody says it, who may recommend it, and what
`connectome tune` tries. Options of commands, keys of TOML files, checks, the recorded parameters, the axes of tuning
and the table in docs/how-it-works.md follow from it. Light: commands read it to make their options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from connectome.config_file import flag, number, text, whole
from connectome.errors import ConfigError

DETECTOR, ASSIGNER = "detector", "assigner"
PARTNERS = "Parameters of the choice of partners"
READERS: Mapping[type, Callable[[Any], Any]] = {
    bool: flag,
    int: whole,
    float: number,
    str: text,
    Path: lambda value: Path(text(value)),
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """A row: one option of a build.

    Attributes:
        kind: bool, int, float, str or Path.
        help: one sentence; the default is told besides.
        name: of the field that it fills, and of the recorded value.
        key: in TOML; the flag has - for _. By default the name.
        default: where neither the user nor a model says anything.
        metavar: how `--help` calls the value. unit: of the value.
        low, high: of numbers, both allowed. above: as `low`, but not allowed itself.
        choices: what is allowed, with what it means.
        read: the value from a TOML value or a flag's text; None: a plain value of the kind.
        default_text: the default in words.
        off_flag: of a bool, the flag that says no.
        recommended_by: whose card may recommend a value, the stronger one last.
        polyadic_key, polyadic_default: of what stands for name and default in the polyadic mode.
        polyadic_only: whether it is of use in that mode alone.
        tried, tried_polyadic: values that `connectome tune` tries in the two modes; none: what is recommended.
        lowest_is_off: of equal combinations tuning takes the one with the lowest value.
        plotted_with: parameters that tuning draws F1 over together with this one.
        envvar: variable that is the default.
        panel: heading of `--help` that it stands under.
    """

    kind: type
    help: str
    name: str = ""
    key: str = ""
    default: Any = None
    metavar: str | None = None
    unit: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    choices: Mapping[Any, str] | None = None
    read: Callable[[Any], Any] | None = None
    default_text: str = ""
    off_flag: str | None = None
    recommended_by: tuple[str, ...] = ()
    polyadic_key: str | None = None
    polyadic_default: float | None = None
    polyadic_only: bool = False
    tried: tuple[float, ...] = ()
    tried_polyadic: tuple[float, ...] = ()
    lowest_is_off: bool = False
    plotted_with: tuple[str, ...] = ()
    envvar: str | None = None
    panel: str = ""

    @property
    def words(self) -> str:
        """Its name in messages."""
        return self.key.replace("_", " ")

    @property
    def flag(self) -> str:
        """Its flag on the command line."""
        return "--" + self.key.replace("_", "-")

    @property
    def is_tuned(self) -> bool:
        """True if tuning may choose it."""
        return bool(self.tried_polyadic)

    @property
    def range_text(self) -> str:
        """The values that are allowed, in words; empty: any of the kind."""
        unit = f" {self.unit}" if self.unit else ""
        if self.choices is not None:
            *most, last = [f"{value} ({what})" if what else str(value) for value, what in self.choices.items()]
            return f"{', '.join(most)} or {last}"
        if self.above is not None:
            return f"greater than {self.above:g} and at most {self.high:g}{unit}"
        if self.low is None:
            return ""
        return f"at least {self.low:g}{unit}" if self.high is None else f"from {self.low:g} to {self.high:g}{unit}"

    @property
    def shown_default(self) -> str:
        """The value that is taken where none is given, in words; empty: nothing is needed."""
        default = self.default
        plain = "" if default in (None, False) and self.kind is not float else str(default)
        own = self.default_text or (f"{default:g}" if self.kind is float else plain)
        if not self.recommended_by:
            return own
        whose = "the models'" if len(self.recommended_by) > 1 else f"the {self.recommended_by[0]}'s"
        return f"{whose}, else {own}"

    def value(self, given: Any) -> Any:
        """The value of a TOML value or of a flag's text.

        Raises:
            TypeError, ValueError, ConfigError: it isn't one.
        """
        return (self.read or READERS[self.kind])(given)

    def check(self, value: Any) -> None:
        """Refuse a value outside of the range.

        Raises:
            ConfigError: says what, the value, and what is allowed.
        """
        if self.choices is not None:
            allowed = value in self.choices
        elif self.above is not None:
            allowed = self.above < value <= (self.high or 0)
        elif self.low is not None:
            allowed = self.low <= value and (self.high is None or value <= self.high)
        else:
            return
        if not allowed:
            raise ConfigError(f"{self.words} {value} must be {self.range_text}", about=self.key)


def row(default: Any = MISSING, /, **values: Any) -> Any:
    """A field of a dataclass that is an option too; without a default it must be given."""
    shown = None if default is MISSING else default
    return field(default=default, metadata={"option": Option(default=shown, **values)})


def options_of(part: type) -> dict[str, Option]:
    """The options that the fields of a dataclass are, by the fields' names."""
    return {
        each.name: replace(option, name=each.name, key=option.key or each.name)
        for each in fields(part)
        if (option := each.metadata.get("option")) is not None
    }


def normalisation_text(given: Any) -> str:
    """'volume', 'none' or 'LOW,HIGH', two grey values.

    Raises:
        ConfigError: another text, or LOW and HIGH aren't whole numbers with 0 <= LOW < HIGH.
    """
    if text(given) in ("volume", "none"):
        return str(given)
    try:
        low, high = (int(part) for part in given.split(","))
    except ValueError as error:
        raise ConfigError(
            f"normalisation '{given}' isn't volume, none or two whole grey values such as 70,190"
        ) from error
    if not 0 <= low < high:
        raise ConfigError(f"normalisation '{given}': the low grey value must be at least 0 and below the high one")
    return f"{low},{high}"


@dataclass(frozen=True, kw_only=True)
class BuildParameters:
    """The table: everything that a user may say about how clefts and partners are found, besides volumes and models."""

    threshold: float = row(
        0.5,
        kind=float,
        metavar="0..1",
        above=0,
        high=1,
        help="A voxel is cleft from this strength on (for a mask, its probability).",
        default_text="0.5",
        recommended_by=(DETECTOR,),
        tried=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        tried_polyadic=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        plotted_with=("min_size_voxels", "min_score"),
    )
    min_size_voxels: int = row(
        100,
        key="min_size",
        kind=int,
        metavar="VOXELS",
        unit="voxel",
        low=1,
        help="Smaller clefts are dropped; in voxels of the detector's resolution, on every grid the same volume.",
        recommended_by=(DETECTOR,),
        tried=(50, 100, 150, 200, 300, 400),
        tried_polyadic=(50, 100, 150, 200, 300, 400),
    )
    dilation_nm: float = row(
        48.0,
        key="dilation",
        kind=float,
        metavar="NM",
        unit="nm",
        above=0,
        high=500,
        help="How far, in the section, a candidate may be from a cleft.",
        recommended_by=(ASSIGNER,),
        tried=(36.0, 48.0, 60.0),
        tried_polyadic=(36.0, 48.0, 60.0),
    )
    duplicate_distance_nm: float = row(
        0.0,
        key="duplicate_distance",
        kind=float,
        metavar="NM",
        unit="nm",
        low=0,
        high=10_000,
        help="Synapses of the same partners with clefts this near are one; 0: off.",
        recommended_by=(DETECTOR, ASSIGNER),
        tried=(0.0, 250.0, 500.0, 1000.0),
        tried_polyadic=(0.0,),
        lowest_is_off=True,
    )
    min_score: float = row(
        0.0,
        kind=float,
        metavar="0..1",
        low=0,
        high=1,
        help="Synapses of a lower score are left out.",
        recommended_by=(DETECTOR, ASSIGNER),
        tried=(0.0, 0.1, 0.2, 0.3, 0.4),
        tried_polyadic=(0.0,),
        lowest_is_off=True,
    )
    polyadic: bool = row(
        False,
        panel=PARTNERS,
        kind=bool,
        off_flag="--dyadic",
        help="All partners over a threshold, several synapses a cleft; or one pair.",
        default_text="dyadic",
        recommended_by=(ASSIGNER,),
    )
    min_contact: float = row(
        0.25,
        panel=PARTNERS,
        kind=float,
        metavar="0..1",
        low=0,
        high=1,
        help="Partners have at least this share of the largest contact with the cleft.",
        default_text="0.25, polyadic 0",
        recommended_by=(ASSIGNER,),
        polyadic_key="polyadic_min_contact",
        polyadic_default=0.0,
        tried_polyadic=(0.0, 0.05, 0.1, 0.2),
        plotted_with=("post_threshold",),
    )
    pre_threshold: float = row(
        0.5,
        panel=PARTNERS,
        kind=float,
        metavar="0..1",
        low=0,
        high=1,
        help="What further presynaptic partners of a polyadic cleft must score.",
        recommended_by=(ASSIGNER,),
        polyadic_only=True,
        tried_polyadic=(0.5, 0.7, 0.9),
        plotted_with=("post_threshold",),
    )
    post_threshold: float = row(
        0.5,
        panel=PARTNERS,
        kind=float,
        metavar="0..1",
        low=0,
        high=1,
        help="What further postsynaptic partners of a polyadic cleft must score.",
        recommended_by=(ASSIGNER,),
        polyadic_only=True,
        tried_polyadic=(0.05, 0.1, 0.2, 0.3, 0.5),
    )
    connectivity: int = row(
        26,
        kind=int,
        metavar="6|18|26",
        choices={6: "faces", 18: "edges", 26: "corners"},
        help="Voxels that share this are neighbours: 6 faces, 18 edges, 26 corners.",
    )
    normalisation: str = row(
        "volume",
        kind=str,
        metavar="volume|none|A,B",
        read=normalisation_text,
        help="Bring the image's grey values to those of the training data: its 10th and 90th percentile (volume), "
        "nothing, or these two grey values.",
    )


PARAMETERS = options_of(BuildParameters)
AXES = tuple(name for name, option in PARAMETERS.items() if option.is_tuned)


def check_parameters(asked: Mapping[str, Any]) -> None:
    """Refuse values that no build takes, and those that nothing uses.

    Args:
        asked: values by the names of the table.

    Raises:
        ConfigError: says which.
    """
    for name, value in asked.items():
        option = PARAMETERS[name]
        if option.polyadic_only and asked.get("polyadic") is False:
            raise ConfigError(f"the {option.words} is of use in the polyadic mode alone", about="polyadic")
        option.check(value)


def chosen_values(asked: Mapping[str, Any], recommended: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """A value for every row: what was asked for, else what a model recommends, else the default.

    Args:
        asked: values by the names of the table.
        recommended: what the cards of the models say, by role: detector, assigner.
    """
    values = {"polyadic": _chosen("polyadic", asked, recommended, False)}
    return values | {name: _chosen(name, asked, recommended, values["polyadic"]) for name in PARAMETERS}


def _chosen(name: str, asked: Mapping[str, Any], recommended: Mapping[str, Mapping[str, float]], polyadic: bool) -> Any:
    option = PARAMETERS[name]
    key, value = name, option.default
    if polyadic and option.polyadic_key is not None:
        key, value = option.polyadic_key, option.polyadic_default
    for role in option.recommended_by:
        value = recommended.get(role, {}).get(key, value)
    wanted = asked.get(name, value)
    return None if wanted is None else option.kind(wanted)


AS_GIVEN = "as_given"
"""Key of a run's recorded parameters: values as users and models give them, where what acts has another form."""


def shown_parameters(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A build's recorded parameters with the values that users and models give.

    Of runs by earlier versions only the threshold on the stored strength, 1 to 255, is known.
    """
    shown = {name: value for name, value in recorded.items() if name != AS_GIVEN}
    if AS_GIVEN not in recorded and "representation" in recorded:
        return shown | {"threshold": round(recorded["threshold"] / 255, 3)}
    return {**shown, **recorded.get(AS_GIVEN, {})}
