#!/bin/sh
# Runs once, when the database is made: TLS for everybody who comes over the network, or nothing.
set -eu
install -m 600 /run/secrets/tls.key "$PGDATA/server.key"
install -m 600 /run/secrets/tls.pem "$PGDATA/server.pem"
cat >> "$PGDATA/postgresql.conf" <<'EOF'
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
EOF
cat > "$PGDATA/pg_hba.conf" <<'EOF'
# whoever may run commands in the container may read its files anyway
local   all all     trust
hostssl all all all scram-sha-256
EOF
