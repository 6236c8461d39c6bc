"""CloudFront: invalidation by cache tag, the path `#tag`. boto3 signs the call; it is an optional requirement.

An invalidation takes less than 5 s at the 95th percentile (AWS, "cache tag invalidation", 2026-04) and costs $0.005 a
tag after a thousand a month. So what lives 15 seconds or less is left to expire, and nothing is purged twice: by the
time an invalidation takes effect, a fetch that began before the commit has long ended.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from typing import Any

from cdn.backends.base import CONNECT_S, DONE, TOTAL_S, Budget, Outcome, later, no_answer, refused, within
from cdn.backends.control_plane import seconds
from db.domain.errors import Refused

INSTALL = "pip install -r requirements-cloudfront.txt"
_LATER = ("Throttling", "ThrottlingException", "TooManyInvalidationsInProgress", "RequestLimitExceeded")
_CREDENTIALS = ("AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidSignature")


class CloudFront:
    """Credentials that are not given are looked up where boto3 looks."""

    name = "cloudfront"
    # 3,000 paths may be in progress at once, and the API throttles long before (aws-sdk-js#3983): few, large calls.
    max_keys = 100
    soft = False
    floor_s = 15
    rebound_above_s = math.inf

    def __init__(
        self, distribution_id: str, key_id: str = "", secret: str = "", token: str = "", api: str | None = None
    ) -> None:
        self.distribution_id = distribution_id
        self.budget = Budget(1, 10)
        self.client = _client(key_id or None, secret or None, token or None, api)

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        return within(TOTAL_S, lambda: self._purge(keys), no_answer)

    def _purge(self, keys: Sequence[str]) -> Outcome:
        import botocore.exceptions  # noqa: PLC0415 - an optional requirement
        import botocore.parsers  # noqa: PLC0415

        try:
            answer = self.client.create_invalidation(
                DistributionId=self.distribution_id, InvalidationBatch=_batch(keys)
            )
        except botocore.exceptions.ClientError as error:
            return _judged(error.response)
        except botocore.exceptions.NoCredentialsError:
            return refused("there are no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        except botocore.parsers.ResponseParserError:
            return later("its answer is not one of CloudFront")
        except botocore.exceptions.ReadTimeoutError:
            return no_answer()
        except botocore.exceptions.BotoCoreError as error:
            return later(f"unreachable: {type(error).__name__}")
        return DONE if answer.get("Invalidation", {}).get("Id") else later("its answer names no invalidation")


def _client(key_id: str | None, secret: str | None, token: str | None, api: str | None) -> Any:
    try:
        import boto3  # noqa: PLC0415 - an optional requirement
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise Refused(f"CDN=cloudfront needs boto3: {INSTALL}") from None
    limits = Config(connect_timeout=CONNECT_S, read_timeout=TOTAL_S, retries={"total_max_attempts": 1})
    return boto3.client(
        "cloudfront",
        # CloudFront is a global service whose signature is made for this region.
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        endpoint_url=api,
        config=limits,
    )


def _batch(keys: Sequence[str]) -> dict[str, Any]:
    """A repeated reference is answered with the first invalidation, so each purge has a new one."""
    paths = [f"#{key}" for key in keys]
    return {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": uuid.uuid4().hex}


def _judged(answer: Any) -> Outcome:
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    if code in _LATER or status == 429 or status >= 500:
        reason = f"over its limit ({code or status})" if code in _LATER or status == 429 else f"failed ({status})"
        return later(reason, seconds(metadata.get("HTTPHeaders", {}).get("retry-after")))
    if code in _CREDENTIALS or status in (401, 403):
        return refused(f"the credentials are wrong or may not purge ({code})")
    if code == "NoSuchDistribution" or status == 404:
        return refused("it knows no such distribution (404)")
    return refused(f"the request was refused ({code or status})")
