"""The one door to DynamoDB: client, paged reads, decoding, errors, the time budget, cost."""
