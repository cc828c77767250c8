#!/usr/bin/env bash
# What tasklib is measured against: a test pipeline of plain shell and plain Compose, as such projects have
# it. One service after another, Compose's own waiting, the files' own health intervals, a graceful `down`.
set -euo pipefail
branch=$(git symbolic-ref --short HEAD)
export TEST_INSTANCE_ID=${branch//\//-}
export COMPOSE_PROJECT_NAME=test-$TEST_INSTANCE_ID
top=$PWD

publish() { # publish VARIABLE SCHEME SERVICE PORT [PATH]: where the stack of this folder has that port
  local address
  address=$(docker compose port "$3" "$4" 2>/dev/null | head -n 1) || return 0
  if [ -n "$address" ]; then export "$1=$2127.0.0.1:${address##*:}${5:-}"; fi
}

with_stack() { # with_stack FOLDER COMMAND...: the stack up, its endpoints exported, COMMAND, the stack down
  local folder=$1 status=0
  shift
  cd "$folder"
  docker compose up --detach --build --wait
  publish TEST_API_URL http:// api 8000
  publish TEST_FRONTEND_URL http:// frontend 80
  publish TEST_DATABASE_URL postgresql://test:test@ database 5432 /testdb
  publish TEST_REDIS_URL redis:// redis 6379
  cd "$OLDPWD"
  "$@" || status=$?
  (cd "$folder" && docker compose down --volumes)
  return "$status"
}

in_folder() { (cd "$1" && shift && "$@"); }

for service in services/*; do
  if [ -f "$service/pyproject.toml" ]; then in_folder "$service" uv run pytest -q tests/unit
  else in_folder "$service" npm test --silent; fi
done
for service in services/*; do
  with_stack "$top/$service/deploy/test" in_folder "$top/$service" uv run pytest -q --integration tests/integration
done
with_stack "$top/deploy/test" uv run pytest -q --integration tests/integration
