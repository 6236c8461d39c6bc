"""Accounts as tests set them up."""

from __future__ import annotations

from dataclasses import fields

from db.domain import Account
from db.sql.accounts import Accounts


def set_up(accounts: Accounts, account: Account) -> None:
    """Give the account all of these settings."""
    accounts.change(account.id, {field.name: getattr(account, field.name) for field in fields(account)})
