"""Addresses in the Temporal Web UI, for operators."""

from urllib.parse import quote

from temporalio.envconfig import ClientConfig

from ordertrail.domain.ids import NaturalKey, order_workflow_id


def run_url(ui_url: str, key: NaturalKey) -> str:
    """Where the run of an order is seen; empty without `ui_url`. The namespace is that of the TEMPORAL_* settings."""
    if not ui_url:
        return ""
    namespace = ClientConfig.load_client_connect_config().get("namespace") or "default"
    workflow = quote(order_workflow_id(key), safe="")
    return f"{ui_url.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows/{workflow}"
