#!/bin/sh
# What is pinned against the vulnerabilities that PyPI knows of, and the tree against what looks like a secret.
set -u
failed=0
git ls-files -z -- ':!tests' ':!samples' ':!*.lock' |
    xargs -0 .venv/bin/detect-secrets-hook --baseline .secrets.baseline --no-verify || failed=1
for file in requirements.lock requirements-dev.lock; do
    # --strict: what cannot be looked up is a failure, not a clean bill.
    .venv/bin/pip-audit --strict --require-hashes --disable-pip --requirement "$file" || failed=1
done
exit $failed
