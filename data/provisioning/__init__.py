"""Brings tables and Lambdas into the declared state: account, drift, plan, apply, restore, policies."""
