import { answers, type Status } from '../model/answers.js';
import type { Sender } from '../model/senders.js';
import type { HttpReply } from './http.js';
import type { AnswerName, Replies } from './reply.js';

/** How a batch is written. */
export type BatchFormat = 'lines' | 'array';

/** What the header `Prefer` asks for: RFC 7240, 4.4. Empty for nothing, which is the same as `strict`. */
export type Handling = 'strict' | 'lenient' | '';

/** What the head of a request says about its batch. */
export interface BatchHead {
  readonly format: BatchFormat;
  readonly handling: Handling;
  /** Null without `--api-keys`. */
  readonly sender: Sender | null;
}

export interface BatchAnswer {
  readonly status: Status;
  /** To be called where an answer can be written, see `Replies`. */
  write(res: HttpReply, replies: Replies): void;
}

/** Faults that an answer names. */
export const BATCH_FAULTS_MAX = 100;

/** The form of the value of `x-invalid`. */
interface Fault {
  readonly index?: number;
  readonly line?: number;
  readonly pointer: string;
  readonly keyword: string;
  readonly name?: string;
}

/** One batch on its way: what was found in it, and its answers. */
export class BatchRun {
  readonly head: BatchHead;
  /** Orders in the body. */
  received = 0;
  /** Of the first `BATCH_FAULTS_MAX` orders that are not valid. */
  readonly faults: Fault[] = [];
  /** Indexes of the orders that are not valid. */
  readonly refused: number[] = [];

  constructor(head: BatchHead) {
    this.head = head;
  }

  get isLenient(): boolean {
    return this.head.handling === 'lenient';
  }

  /** @param line from 1; 0 if it has none. @param fault the value of `x-invalid` */
  addFault(index: number, line: number, fault: string): void {
    this.refused.push(index);
    if (this.faults.length === BATCH_FAULTS_MAX) return;
    this.faults.push({ index, ...(line > 0 ? { line } : {}), ...partsOf(fault) });
  }

  /** The body is not a batch, whatever its orders are. */
  notABatch(fault: string): BatchAnswer {
    this.faults.length = 0;
    this.faults.push(partsOf(fault));
    return this.invalid();
  }

  /** Nothing was kept. */
  invalid(): BatchAnswer {
    const { received, faults } = this;
    const { index, pointer, keyword, name } = faults[0]!;
    const where = index === undefined ? pointer : `/${index}${pointer === '/' ? '' : pointer}`;
    const fault = `${where} ${keyword}${name === undefined ? '' : ` ${name}`}`;
    return this.#answer('invalid', [['x-invalid', fault]], { received, faults });
  }

  /** All orders that were kept are durable; their ids follow that of the first. */
  created(frameId: string, index: number, isReplay: boolean): BatchAnswer {
    const id = `${frameId}-${index}`;
    const count = this.received - this.refused.length;
    const headers = [
      ['x-order-id', id],
      ['x-order-count', String(count)],
    ];
    if (isReplay) headers.push(['idempotent-replay', 'true']);
    return this.#answer('created', headers, { id, count, ...this.#left() });
  }

  /**
   * Direct mode: some orders were not processed. Only a client that asks for it gets 200 then.
   *
   * @param failed indexes among the orders that are valid
   */
  createdInPart(frameId: string, index: number, failed: readonly number[]): BatchAnswer {
    const valid = this.#validIndexes();
    const id = `${frameId}-${index}`;
    const count = valid.length - failed.length;
    const body = { id, count, failed: failed.map((i) => valid[i]!), ...this.#left() };
    if (!this.isLenient) return this.#answer('busy', [['Retry-After', '1']], body);
    const headers = [
      ['x-order-id', id],
      ['x-order-count', String(count)],
    ];
    return this.#answer('created', headers, body);
  }

  #left(): object {
    const { received, refused, faults } = this;
    return this.isLenient ? { received, refused, faults } : {};
  }

  #validIndexes(): number[] {
    const refused = new Set(this.refused);
    return Array.from({ length: this.received }, (_, i) => i).filter((i) => !refused.has(i));
  }

  #answer(name: AnswerName, headers: string[][], body: object): BatchAnswer {
    const { handling } = this.head;
    if (handling !== '') headers.push(['Preference-Applied', `handling=${handling}`]);
    return detailed(name, headers, body);
  }
}

/** An answer whose body says more than its result. */
export function detailed(
  name: AnswerName,
  headers: readonly (readonly string[])[],
  body: object,
): BatchAnswer {
  const { result } = JSON.parse(answers[name].body) as { result: string };
  const text = JSON.stringify({ result, ...body });
  return {
    status: answers[name].status,
    write: (res, replies) => replies.detailed(res, name, headers, text),
  };
}

/** The parts of a value of `x-invalid`: pointer, keyword, and the name of a field for some keywords. */
function partsOf(fault: string): Pick<Fault, 'pointer' | 'keyword' | 'name'> {
  const [pointer = '', keyword = '', name] = fault.split(' ');
  return { pointer, keyword, ...(name === undefined ? {} : { name }) };
}
