"""The AWS CLI, and the commands of the setup document for it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.engines import CREDENTIALS

AWS = Path(sys.executable).parent / "aws"

# Copied from the setup document.
DOCUMENT = r"""# Create evaluations table (Writing + Speaking)
aws dynamodb create-table \
--table-name bandup-evaluations \
--attribute-definitions \
AttributeName=evaluation_id,AttributeType=S \
AttributeName=user_id,AttributeType=S \
--key-schema \
AttributeName=evaluation_id,KeyType=HASH \
AttributeName=user_id,KeyType=RANGE \
--billing-mode PAY_PER_REQUEST \
--tags Key=Project,Value=bandup Key=Environment,Value=production
# Create flashcard sets table
aws dynamodb create-table \
--table-name bandup-flashcard-sets \
--attribute-definitions \
AttributeName=set_id,AttributeType=S \
AttributeName=user_id,AttributeType=S \
--key-schema \
AttributeName=set_id,KeyType=HASH \
AttributeName=user_id,KeyType=RANGE \
--billing-mode PAY_PER_REQUEST \
--tags Key=Project,Value=bandup Key=Environment,Value=production
# Enable PITR for evaluations table
aws dynamodb update-continuous-backups \
--table-name bandup-evaluations \
--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
# Enable PITR for flashcard sets table
aws dynamodb update-continuous-backups \
--table-name bandup-flashcard-sets \
--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
"""


def run_script(endpoint: str | None, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script as it is, by the real AWS CLI against an endpoint; None: through the proxy of this environment."""
    through = {name: os.environ[name] for name in ("HTTPS_PROXY", "AWS_CA_BUNDLE") if name in os.environ}
    environ = {
        "PATH": f"{AWS.parent}:{os.environ['PATH']}",
        **({"AWS_ENDPOINT_URL": endpoint} if endpoint else through),
        "NO_PROXY": "127.0.0.1",
        **{name.upper(): value for name, value in CREDENTIALS.items()},
    }
    return subprocess.run(["sh"], input=script, env=environ, capture_output=True, text=True, check=False)
