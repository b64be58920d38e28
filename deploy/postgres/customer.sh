#!/bin/sh
# Runs once, when the customer's database is made: the data API is no superuser and owns no database.
set -eu
psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "$POSTGRES_DB" <<'EOF'
\set password `cat /run/secrets/api-password`
CREATE ROLE db_api LOGIN PASSWORD :'password';
REVOKE CONNECT, TEMPORARY ON DATABASE app FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE app TO db_api;
EOF
