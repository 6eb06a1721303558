"""The NGSI-LD client: one broker, one tenant, one @context."""

from types import TracebackType
from typing import Any, Literal, Self

from ldt_toolbox.clients.auth import Auth
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.ngsi_ld.batch import Batch
from ldt_toolbox.clients.ngsi_ld.connection import Connection, api_root, element
from ldt_toolbox.clients.ngsi_ld.context_links import Context
from ldt_toolbox.clients.ngsi_ld.contexts import Contexts
from ldt_toolbox.clients.ngsi_ld.discovery import Attributes, Types, capabilities
from ldt_toolbox.clients.ngsi_ld.entities import Entities
from ldt_toolbox.clients.ngsi_ld.registrations import Registrations
from ldt_toolbox.clients.ngsi_ld.subscriptions import Subscriptions
from ldt_toolbox.clients.ngsi_ld.temporal import Temporal
from ldt_toolbox.errors import WrongUseError


class NgsiLd:
    """Client of an NGSI-LD context broker (ETSI GS CIM 009 V1.8.1).

    Making one sends nothing; nothing is ever written that was not asked for.

    Parameters
    ----------
    base_url : str
        Address of the broker, with or without `/ngsi-ld/v1`.
    tenant : str, optional
        Tenant (header NGSILD-Tenant).
    context : str, list or dict, optional
        @context that explains short names: the URL of one, alone or in a list with the core
        @context, which also works for reading; or an @context itself, which goes into the body of
        what is written. None is the core @context.
    auth : Auth, optional
        Credentials.
    http : HttpClient, optional
        Own HTTP client, with its own credentials, limits and cache.

    Attributes
    ----------
    entities, batch, temporal, subscriptions, types, attributes, registrations, contexts
        Parts of the API.

    Examples
    --------
    >>> broker = NgsiLd("https://broker.example.org", tenant="nice")
    >>> hot = Q.attr("temperature") > 30
    >>> stations = broker.entities.query(type="WeatherObserved", q=hot)  # doctest: +SKIP
    """

    def __init__(
        self,
        base_url: str,
        *,
        tenant: str | None = None,
        context: Context = None,
        auth: Auth | None = None,
        http: HttpClient | None = None,
    ) -> None:
        if http is not None and auth is not None:
            raise WrongUseError("give auth to the HttpClient, or no http; not both")
        root = api_root(base_url)
        self._own = http is None
        self._http = http or HttpClient(root, auth=auth)
        self._connect(Connection(root, self._http, tenant=tenant, context=context))

    def _connect(self, connection: Connection) -> None:
        self._connection = connection
        self.entities = Entities(connection)
        self.batch = Batch(connection, self.entities)
        self.temporal = Temporal(connection)
        self.subscriptions = Subscriptions(connection)
        self.types = Types(connection)
        self.attributes = Attributes(connection)
        self.registrations = Registrations(connection)
        self.contexts = Contexts(connection)

    def __repr__(self) -> str:
        return repr(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they belong to an `http` that was given."""
        if self._own:
            self._http.close()

    def with_tenant(self, tenant: str | None) -> "NgsiLd":
        """Client of another tenant of this broker; shares the connections."""
        return self._beside(tenant, self._connection.context)

    def with_context(self, context: Context) -> "NgsiLd":
        """Client with another @context; shares the connections."""
        return self._beside(self._connection.tenant, context)

    def _beside(self, tenant: str | None, context: Context) -> "NgsiLd":
        other = NgsiLd(self._connection.root, http=self._http)
        other._connect(self._connection.beside(tenant=tenant, context=context))
        return other

    def capabilities(self) -> dict[str, Literal["yes", "no", "unknown"]]:
        """Which optional parts the broker offers; found out by reading."""
        return capabilities(self._connection)

    def identity(self) -> dict[str, Any]:
        """What the broker says about itself (5.15, 6.33)."""
        answer = self._connection.ask(
            "info/sourceIdentity", feature="its identity (info/sourceIdentity)", named=False
        )
        return element(answer, "a ContextSourceIdentity")
