/** What `doctor` can find about the coordinator: permissions, workers, tasks. */
import type { CodeDefinition } from "./code-definition.ts";

export const COORDINATOR_CODES = {
  request_not_permitted: {
    check: "permissions",
    verdict: "problem",
    meaning: "The user may not send requests that every session needs.",
    cure: "permit the user to publish to tasks.> and sessions.>",
  },
  some_not_permitted: {
    check: "permissions",
    verdict: "warning",
    meaning: "The user may not send some requests, or may not watch changes.",
    cure: "nothing, if that is intended; otherwise permit the subjects in the text",
  },
  no_worker: {
    check: "workers",
    verdict: "problem",
    meaning: "No worker answers.",
    cure: 'start one: "if-coordinator serve"; if workers run, check that they use the same NATS account',
  },
  not_answered: {
    check: "workers",
    verdict: "problem",
    meaning: "Workers run, but a request gets no answer, or is refused.",
    cure: "read /readyz and the log of the workers",
  },
  workers_unseen: {
    check: "workers",
    verdict: "unchecked",
    meaning: "A worker answers, but this user cannot list all workers.",
    cure: "nothing for a session; to see all, run doctor as a user of the account of the workers who may publish to $SRV.STATS.coordinator",
  },
  protocol_differs: {
    check: "workers",
    verdict: "problem",
    meaning: "Workers and this command speak different major versions of the protocol.",
    cure: "use the same version of if-coordinator for the workers and for the command",
  },
  worker_versions_differ: {
    check: "workers",
    verdict: "warning",
    meaning: "The workers have different versions.",
    cure: "finish the upgrade: run the same version everywhere",
  },
  settings_differ: {
    check: "workers",
    verdict: "warning",
    meaning: "The workers have different settings, so the same request has different results.",
    cure: "give all workers the same configuration",
  },
  worker_defect: {
    check: "workers",
    verdict: "problem",
    meaning: "A worker could not handle a request because of a defect.",
    cure: "look for the cause in the log of the worker, and report it",
  },
  requests_near_limit: {
    check: "parked requests",
    verdict: "warning",
    meaning:
      "A worker has parked 80 % or more of the requests that it may. Above the limit it answers overloaded.",
    cure: "start more workers, or raise limits.waiting",
  },
  reports_differ: {
    check: "lost connections",
    verdict: "warning",
    meaning: "Some workers receive reports of lost connections, and others do not.",
    cure: "give all workers the same nats.system_username or nats.system_creds_file, and read their logs",
  },
  clock_differs: {
    check: "clocks",
    verdict: "warning",
    meaning:
      "Two clocks differ by more than 1 s. Times such as not_before and resume_at are off by as much. Leases are not affected.",
    cure: "synchronize the clock of the machine, for example with chrony",
  },
  clock_unknown: {
    check: "clocks",
    verdict: "unchecked",
    meaning: "A worker or the server does not say its time.",
    cure: "run the same version of if-coordinator everywhere; a user of another account cannot ask the workers",
  },
  lease_without_claim: {
    check: "leases",
    verdict: "warning",
    meaning: "A lease belongs to no claim. It does no harm and ends with its time, if it has one.",
    cure: 'nothing; a lease that was written by hand never ends: "nats kv ls leases" shows its key, for "nats kv del leases <key>"',
  },
  claim_without_lease: {
    check: "leases",
    verdict: "problem",
    meaning:
      "A claim has had no lease for more than a few seconds, so it cannot expire. A worker should have given it one.",
    cure: 'check that a worker runs and can write to the bucket "leases"; "if-coordinator task requeue <task>" returns the task',
  },
  missing_dependency: {
    check: "dependencies",
    verdict: "warning",
    meaning: "Tasks are blocked by ids that do not exist.",
    cure: 'create the missing tasks, or correct depends_on: "if-coordinator task update <task>"',
  },
  cycle: {
    check: "dependencies",
    verdict: "problem",
    meaning:
      "Tasks depend on each other in a circle, so none of them becomes ready. Workers refuse this; the records were written by hand or at the same moment.",
    cure: 'remove one of the dependencies: "if-coordinator task update <task>"',
  },
  dead_end: {
    check: "dependencies",
    verdict: "warning",
    meaning: "Tasks wait for tasks that failed or were cancelled.",
    cure: 'requeue what failed ("if-coordinator task requeue <task>"), or cancel what waits for it',
  },
  missing_capability: {
    check: "capabilities",
    verdict: "warning",
    meaning:
      "No registered session has all capabilities that a task requires. Sessions that name their capabilities in each claim are not registered and cannot be seen.",
    cure: 'start a session that has them: "if-coordinator session register <session> --capability <capability>"',
  },
  overdue_claim: {
    check: "claims",
    verdict: "warning",
    meaning:
      "A session has held a task for a long time (--overdue) without reporting progress. It may be alive without working.",
    cure: 'look at the session; "if-coordinator task cancel <task>" asks it to stop',
  },
  not_a_task: {
    check: "records",
    verdict: "problem",
    meaning: "A value in the bucket is not a task. Workers leave it alone.",
    cure: '"nats kv get tasks <task>" shows it; correct it, or "nats kv del tasks <task>"',
  },
  tasks_cut: {
    check: "records",
    verdict: "unchecked",
    meaning:
      "The time was over before all tasks were read. The checks of tasks cover those that were read.",
    cure: "run doctor again when the coordinator has less to do, or with a longer --timeout",
  },
  not_ready: {
    check: "health",
    verdict: "problem",
    meaning: "Workers say on /readyz that they cannot serve.",
    cure: "do what the text says; the log of the worker says more",
  },
  health_warning: {
    check: "health",
    verdict: "warning",
    meaning: "Workers say on /readyz what an operator should change.",
    cure: "do what the text says",
  },
  health_unreached: {
    check: "health",
    verdict: "unchecked",
    meaning: "No worker answers by HTTP at this address.",
    cure: "nothing, if workers run elsewhere or metrics.enabled is false; otherwise name the address with --http http://host:9090",
  },
  not_permitted: {
    check: "any",
    verdict: "unchecked",
    meaning: "The user may not read what the check needs.",
    cure: "nothing for a session; to check it, run doctor as a user of the account of the workers, with worker.creds of a secured set-up",
  },
  no_answer: {
    check: "any",
    verdict: "unchecked",
    meaning: "The check got no answer in time.",
    cure: "correct what is reported above, and run doctor again",
  },
} as const satisfies Record<string, CodeDefinition>;
