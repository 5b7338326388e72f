#!/bin/sh
# The accounts of if-coordinator for those who run their NATS with nsc, the tool for signed accounts (JWT). They
# are those of `if-coordinator auth`, which needs no nsc (docs/security.md). Run it, or copy its commands:
#
#   sh nsc-accounts.sh init             # the account of the workers, creds/, and the configuration files
#   nats-server -c nats-server.conf     # if your server has the operator already, it needs only the push
#   sh nsc-accounts.sh push             # gives all accounts to the server that runs
#   if-coordinator serve --config coordinator.yaml
#
#   sh nsc-accounts.sh operator ann     # a person who manages the tasks of all: creds/ann.creds
#   sh nsc-accounts.sh agent s1         # an agent: creds/s1.creds. The server learns both at once.
#   sh nsc-accounts.sh agent s2
#   if-coordinator auth check --creds creds/s1.creds --other creds/s2.creds
#
#   sh nsc-accounts.sh revoke s2        # refuses its credentials and closes its connections
#
# It uses the present operator of nsc (`nsc env`), or makes one, and writes to the present folder. Variables:
#
#   NATS_URL                         where nsc finds the server; default: nats://localhost:4222
#   SYSTEM_ACCOUNT                   name of the system account; default: SYS
#   IF_COORDINATOR_AUTH_VISIBILITY   what agents see of the tasks of others; default: all. It must be the same for
#                                    init and for each agent, because it decides which updates of tasks agents get.
#
# Needs nats-server 2.11.16, 2.12.7, or 2.14.4 or newer.
set -eu
umask 077 # credentials are secrets

# The account of the workers. Everyone in it can read and write the buckets and send requests under any name, so
# only workers belong here.
WORKERS=coordinator
SYSTEM=${SYSTEM_ACCOUNT:-SYS}
VISIBILITY=${IF_COORDINATOR_AUTH_VISIBILITY:-all}
URL=${NATS_URL:-nats://localhost:4222}

fail() {
  echo "nsc-accounts.sh: $1" >&2
  exit 1
}

init() {
  for file in nats-server.conf resolver.conf coordinator.yaml; do
    [ ! -e "$file" ] || fail "$file exists: run init in another folder"
  done
  nsc describe operator >/dev/null 2>&1 || nsc add operator --name if-coordinator --sys
  nsc describe account --name "$SYSTEM" >/dev/null 2>&1 ||
    fail "the operator has no account $SYSTEM: name its system account with SYSTEM_ACCOUNT=<name>"

  # A new account has no JetStream, which the buckets need.
  nsc add account --name "$WORKERS"
  nsc edit account --name "$WORKERS" --js-mem-storage -1 --js-disk-storage -1
  nsc add export --account "$WORKERS" --service --subject 'agent.*.tasks.>'
  nsc add export --account "$WORKERS" --service --subject 'agent.*.sessions.>'
  nsc add export --account "$WORKERS" --service --subject 'operator.*.tasks.>'
  nsc add export --account "$WORKERS" --service --subject 'operator.*.sessions.>'
  # Streams: an import as a service would receive nothing.
  nsc add export --account "$WORKERS" --subject 'task-updates.>'
  nsc add export --account "$WORKERS" --subject 'agent.*.task-updates.>'
  nsc add user --account "$WORKERS" --name worker

  # Tells the workers of lost connections, and of imports that are too wide. It can do nothing else.
  nsc add user --account "$SYSTEM" --name reports \
    --allow-pub '$SYS.REQ.SERVER.PING.ACCOUNTZ' \
    --allow-sub '$SYS.ACCOUNT.*.DISCONNECT,_INBOX.>'

  credentials "$WORKERS" worker
  credentials "$SYSTEM" reports
  write_config
}

write_config() {
  # At the interval, the servers of a cluster compare their accounts. So it is also how long a server that was down
  # during a revocation lets its credentials in.
  nsc generate config --nats-resolver |
    sed "s|dir: './jwt'|dir: '$PWD/jwt'|; s|interval: \"2m\"|interval: \"10s\"|" >resolver.conf
  cat >nats-server.conf <<END
# A NATS server with the accounts of nsc. Before you open it to others, add TLS.
host: 127.0.0.1
port: 4222

store_dir: '$PWD/nats'
jetstream {
  sync_interval: 1s
}

include resolver.conf
END
  cat >coordinator.yaml <<END
# The workers of if-coordinator, with the accounts of nsc.
coordinator:
  auth:
    mode: accounts
    visibility: $VISIBILITY
  nats:
    servers: ['$URL']
    creds_file: '$PWD/creds/worker.creds'
    system_creds_file: '$PWD/creds/reports.creds'
END
}

# principal agent|operator NAME: an account of its own, which puts the name into the subject of each request.
principal() {
  role=$1 name=$2
  nsc add account --name "$name"
  nsc add import --account "$name" --src-account "$WORKERS" --service --share \
    --remote-subject "$role.$name.tasks.>" --local-subject 'tasks.>'
  nsc add import --account "$name" --src-account "$WORKERS" --service --share \
    --remote-subject "$role.$name.sessions.>" --local-subject 'sessions.>'
  # The updates of all tasks are whole records. An agent that may not see these gets only the updates of its own.
  updates='task-updates.>'
  [ "$role" = operator ] || [ "$VISIBILITY" = all ] || updates="agent.$name.task-updates.>"
  nsc add import --account "$name" --src-account "$WORKERS" \
    --remote-subject "$updates" --local-subject 'task-updates.>'
  # A new account has no JetStream, but any number of connections, leaf nodes and exports.
  nsc edit account --name "$name" --conns 1000 --subscriptions 1000 --payload 262144 --leaf-conns 0 \
    --exports 0 --wildcard-exports=false
  # The sessions of an agent begin with the name of its user, so it is the name in the subjects.
  nsc add user --account "$name" --name "$name"
  credentials "$name" "$name"
  push "$name" || fail "the server does not know $name yet. When it runs: sh nsc-accounts.sh push"
}

# If you only delete the account or its user, the server goes on to accept the credentials.
revoke() {
  nsc revocations add-user --account "$1" --user-public-key '*'
  nsc edit account --name "$1" --conns 0
  push "$1" || fail "the server goes on to accept $1. When it runs: sh nsc-accounts.sh push"
}

credentials() {
  mkdir -p creds
  nsc generate creds --account "$1" --name "$2" --output-file "creds/$2.creds"
}

# Until an account is pushed, the server knows nothing of it or of its changes.
push() {
  nsc push --account "$1" --account-jwt-server-url "$URL"
}

# The name is one token of a subject.
check_name() {
  case $1 in
    '' | *[!A-Za-z0-9_-]*) fail "\"$1\" cannot be a name: use 1 to 64 characters out of A-Z a-z 0-9 _ -" ;;
    "$WORKERS" | "$SYSTEM") fail "\"$1\" is the name of another account: choose another name" ;;
    worker | reports) fail "\"$1\" is the name of other credentials: choose another name" ;;
  esac
  [ ${#1} -le 64 ] || fail "\"$1\" is too long: use 1 to 64 characters"
}

command -v nsc >/dev/null || fail 'there is no nsc on the PATH: https://github.com/nats-io/nsc#install'
case "${1-}/$#" in
  init/1) init ;;
  push/1) nsc push --all --account-jwt-server-url "$URL" ;;
  agent/2 | operator/2) check_name "$2"; principal "$1" "$2" ;;
  revoke/2) check_name "$2"; revoke "$2" ;;
  *) fail 'use init, push, agent NAME, operator NAME or revoke NAME' ;;
esac
