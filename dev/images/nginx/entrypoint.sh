#!/bin/bash
# Contract of the official image: /etc/nginx/templates/*.template become conf.d files with the environment's
# variables in place (only defined ones, so that nginx's own $variables stay), then docker-entrypoint.d runs.
set -euo pipefail

if [ "${1-}" = nginx ]; then
    defined=$(env -0 | sed -z 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/' | tr '\0' ' ')
    cd /etc/nginx/templates
    while IFS= read -r -d '' template; do
        target=/etc/nginx/conf.d/${template%.template}
        mkdir -p "$(dirname "$target")"
        envsubst "$defined" <"$template" >"$target"
    done < <(find -L . -name '*.template' -type f -print0)
    cd /
    for file in /docker-entrypoint.d/*; do
        case $file in
            *.envsh) [ ! -x "$file" ] || . "$file" ;;
            *.sh) [ ! -x "$file" ] || "$file" ;;
        esac
    done
fi
exec "$@"
