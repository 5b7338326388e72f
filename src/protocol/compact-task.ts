/**
 * A task as an index keeps it, in little memory: the fields that the index reads, and the others as one text.
 * The whole task is made when somebody asks for it, and stays in memory while it is among those used last.
 *
 * The content of a large record is left out (`left-out.ts`).
 */
import { isFinished, type Task, type TaskStatus } from "../task/task.ts";
import { LARGE_RECORD_BYTES, NO_CONTENT } from "./left-out.ts";
import { packTask, type TaskOutline, unpackTask } from "./packed-fields.ts";
import { readRecordTexts } from "./record-texts.ts";
import { decodeTask, type RecordOrigin } from "./task-record.ts";

/** So many whole tasks stay in memory, in this process. */
const MAX_WHOLE = 1_024;
/** Instead of the packed fields of a task that stays whole. */
const WHOLE = "";

type Claim = Pick<TaskOutline, "claimedBy" | "claimRequest" | "claimInstance" | "ttlSeconds">;
/** Nearly all tasks share it. */
const NO_CLAIM: Claim = {
  claimedBy: null,
  claimRequest: null,
  claimInstance: null,
  ttlSeconds: null,
};

const whole: CompactTask[] = [];
let nextWhole = 0;

export class CompactTask implements TaskOutline {
  readonly taskId: string;
  readonly revision: number;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly dependsOn: readonly string[];
  readonly requires: readonly string[];
  readonly tags: readonly string[];
  readonly attempt: number;
  readonly fencingToken: number;
  readonly leaseEpoch: number;
  readonly notBefore: number | null;
  readonly createdRevision: number;
  readonly createdBy: string | null;
  /** When the record of a finished task was written, epoch milliseconds; `null` if it is not finished. */
  readonly finishedAt: number | null;
  /** The size of the record as it is stored; 0: not known. */
  readonly bytes: number;
  /** Whether `task` has its content. */
  readonly isWhole: boolean;
  readonly #claim: Claim;
  /** `null` until they are needed. */
  #packed: string | null;
  #task: Task | null;

  private constructor(
    outline: TaskOutline,
    revision: number,
    finishedAt: number | null,
    bytes: number,
    isWhole: boolean,
    content: string | Task,
  ) {
    this.taskId = outline.taskId;
    this.revision = revision;
    this.status = outline.status;
    this.priority = outline.priority;
    this.dependsOn = outline.dependsOn;
    this.requires = outline.requires;
    this.tags = outline.tags;
    this.attempt = outline.attempt;
    this.fencingToken = outline.fencingToken;
    this.leaseEpoch = outline.leaseEpoch;
    this.notBefore = outline.notBefore;
    this.createdRevision = outline.createdRevision ?? revision;
    this.createdBy = outline.createdBy;
    this.finishedAt = finishedAt;
    this.bytes = bytes;
    this.isWhole = isWhole;
    this.#claim = claimOf(outline);
    this.#packed = typeof content === "string" ? content : null;
    this.#task = null;
    if (typeof content !== "string") this.#keep(content);
  }

  static of(task: Task, revision: number, bytes = 0): CompactTask {
    // The first record of a task cannot contain its own revision, so its readers add it.
    const full = task.createdRevision === null ? { ...task, createdRevision: revision } : task;
    const finishedAt = isFinished(task.status) ? task.updatedAt : null;
    const packed = bytes > LARGE_RECORD_BYTES ? packTask(full, false) : null;
    if (packed !== null) return new CompactTask(full, revision, finishedAt, bytes, false, packed);
    return new CompactTask(full, revision, finishedAt, bytes, true, full);
  }

  /** @throws CorruptRecordError */
  static read(record: string, origin: RecordOrigin, bytes = 0): CompactTask {
    const isWhole = bytes <= LARGE_RECORD_BYTES;
    const { revision } = origin;
    const texts = readRecordTexts(record, origin, isWhole);
    if (texts === null) return CompactTask.of(decodeTask(record, origin), revision, bytes);
    const { outline, finishedAt, packed } = texts;
    return new CompactTask(outline, revision, finishedAt, bytes, isWhole, packed);
  }

  get claimedBy(): string | null {
    return this.#claim.claimedBy;
  }

  get claimRequest(): string | null {
    return this.#claim.claimRequest;
  }

  get claimInstance(): string | null {
    return this.#claim.claimInstance;
  }

  get ttlSeconds(): number | null {
    return this.#claim.ttlSeconds;
  }

  /** If it is not whole, it can be neither stored nor sent. */
  get task(): Task {
    return this.#task ?? this.#keep(this.#unpacked());
  }

  /** A later record has replaced this one, so packing it is not worth the time. */
  replaced(): void {
    this.#packed ??= WHOLE;
  }

  #unpacked(): Task {
    const task = unpackTask(this, this.#packed ?? "");
    return this.isWhole ? task : { ...task, ...NO_CONTENT };
  }

  #keep(task: Task): Task {
    this.#task = task;
    const oldest = whole[nextWhole];
    if (oldest !== undefined) oldest.#shrink();
    whole[nextWhole] = this;
    nextWhole = (nextWhole + 1) % MAX_WHOLE;
    return task;
  }

  #shrink(): void {
    if (this.#task === null) return;
    this.#packed ??= packTask(this.#task) ?? WHOLE;
    if (this.#packed !== WHOLE) this.#task = null;
  }
}

function claimOf({ claimedBy, claimRequest, claimInstance, ttlSeconds }: TaskOutline): Claim {
  const isClaimed = (claimedBy ?? claimRequest ?? claimInstance ?? ttlSeconds) !== null;
  return isClaimed ? { claimedBy, claimRequest, claimInstance, ttlSeconds } : NO_CLAIM;
}
