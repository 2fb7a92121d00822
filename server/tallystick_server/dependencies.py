"""What routes are given, by name."""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from tallystick.instant import Clock

from .store_access import StoreAccess

Access = NamedDependency[StoreAccess]
# A clock is a protocol, which is checked by the type checker and not when a request comes.
Present = SkipValidation[NamedDependency[Clock]]
