#!/bin/bash
# Contract of the official image: tests by name, asked in the order given; options before a test say who asks. The
# user `healthcheck` has its password in a file in the data's folder. Replicas and clusters are not asked for here.
set -uo pipefail

datadir=/var/lib/mysql defaults='' suffix='' extra='' file=''
[ ! -f "$datadir/.my-healthcheck.cnf" ] || extra=$datadir/.my-healthcheck.cnf

fail() { printf '%s\n' "$*" >&2; exit 1; }

client() {
    mariadb ${defaults:+--no-defaults} ${file:+--defaults-file="$file"} ${extra:+--defaults-extra-file="$extra"} \
        ${suffix:+--defaults-group-suffix="$suffix"} -BN "$@"
}

as() { local user=$1; shift; exec setpriv --reuid="$user" --regid="$user" --init-groups "$0" "$@"; }

ask() {
    local said
    case $1 in
        # Whether anybody answers: being refused is an answer.
        connect) said=$(client -h localhost --protocol=tcp -e 'SELECT 1' 2>&1); [[ $said != *"Can't connect"* ]] ;;
        innodb_initialized)
            said=$(client -e "SELECT support FROM information_schema.engines WHERE engine = 'InnoDB'") \
                && [[ $said = YES || $said = DEFAULT ]] ;;
        innodb_buffer_pool_loaded)
            said=$(client -e "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_load_status'") \
                && [[ $said = *'load completed'* ]] ;;
        mariadbupgrade)
            [ ! -r "$datadir/mysql_upgrade_info" ] || flock --exclusive --nonblock "$datadir/mysql_upgrade_info" true ;;
        *) fail "healthcheck: unknown option or test '$1'" ;;
    esac
}

[ $# -gt 0 ] || fail 'healthcheck: at least one test is needed'
while [ $# -gt 0 ]; do
    case $1 in
        --su-mysql) shift; as mysql "$@" ;;
        --su=*) user=${1#*=}; shift; as "$user" "$@" ;;
        --su) user=$2; shift 2; as "$user" "$@" ;;
        --datadir=*) datadir=${1#*=} ;;
        --datadir) datadir=$2; shift ;;
        --no-defaults) defaults=none extra='' file='' suffix='' ;;
        --defaults-file=*) file=${1#*=} defaults='' ;;
        --defaults-file) file=$2 defaults=''; shift ;;
        --defaults-extra-file=*) extra=${1#*=} defaults='' ;;
        --defaults-extra-file) extra=$2 defaults=''; shift ;;
        --defaults-group-suffix=*) suffix=${1#*=} defaults='' ;;
        --defaults-group-suffix) suffix=$2 defaults=''; shift ;;
        --*) ask "${1#--}" || fail "healthcheck: ${1#--} failed" ;;
        *) fail "healthcheck: unknown option $1" ;;
    esac
    shift
done
