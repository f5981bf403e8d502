"""Reads and provisions BandUp's two DynamoDB tables: the only package that imports boto3."""
