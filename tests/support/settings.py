"""Settings for an engine."""

from data.settings import Settings


def settings(endpoint: str) -> Settings:
    return Settings.read({"BANDUP_SOURCE": "aws", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_DYNAMODB": endpoint})
