#!/bin/sh
# Runs once, when the vendor's database is made: one role migrates, and a lesser one serves.
set -eu
psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "$POSTGRES_DB" <<'EOF'
\set migrator `cat /run/secrets/migrator-password`
\set server `cat /run/secrets/server-password`
CREATE ROLE license_migrator LOGIN PASSWORD :'migrator';
CREATE ROLE license_server LOGIN PASSWORD :'server';
ALTER DATABASE licenses OWNER TO license_migrator;
REVOKE CONNECT, TEMPORARY ON DATABASE licenses FROM PUBLIC;
GRANT CONNECT ON DATABASE licenses TO license_server;
EOF
