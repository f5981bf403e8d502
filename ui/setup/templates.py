"""What to take away from Setup: commands, a template and policies, as text to copy."""

import streamlit as st

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning import policies, templates
from data.schema import TABLES

_LAMBDAS = (
    "The specification's policy, plus the second statement: a Query on an index needs the index's ARN, which the "
    "specification's policy lacks."
)
_READ_ONLY = (
    "Scan is used only after a click: where an index is missing, and to count orphaned records. Leave it out to rule "
    "that out."
)
_SETUP = (
    "A restore also asks for reading and writing on the new table: dynamodb:PutItem, UpdateItem, DeleteItem, GetItem, "
    "Query, Scan and BatchWriteItem; a restore drill for BatchGetItem on it. Add these, the new table's name to the "
    "first statement and its indexes to the second, for as long as you restore."
)


def show_templates(store: Store) -> None:
    """Commands, template and policies as text."""
    settings = store.settings
    meta = store.client.meta
    try:
        account = store.facts(TABLES[0]).account
    except Failure:
        account = "${AWS_ACCOUNT_ID}"
    where = (meta.region_name, account, meta.partition)
    for name, note, content, language in (
        ("AWS CLI script", "", templates.cli(settings, store.client.meta.region_name), "bash"),
        ("CloudFormation template", "", templates.cloudformation(settings), "json"),
        ("IAM policy: Lambda functions", _LAMBDAS, policies.lambdas(settings, *where), "json"),
        ("IAM policy: dashboard (read-only)", _READ_ONLY, policies.dashboard(settings, *where), "json"),
        ("Policy for marking jobs as failed", "", policies.marking(settings, *where), "json"),
        ("IAM policy: Setup", _SETUP, policies.setup(settings, *where), "json"),
    ):
        with st.expander(name):
            if note:
                st.text(note)
            st.code(content, language=language, wrap_lines=True, height=400 if content.count("\n") > 25 else "content")
