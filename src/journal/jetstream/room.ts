import type { NatsConnection } from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { type FrameBounds, messageBytesMax } from '../../model/frame.js';

/**
 * Holds what a server takes in one message against what a frame may become: beyond that, it would refuse the frame
 * each time.
 *
 * @throws OperatorFault it takes too little
 */
export function requireRoom({ info }: NatsConnection, frames: FrameBounds): void {
  const takes = info?.max_payload ?? Number.POSITIVE_INFINITY;
  const needs = messageBytesMax(frames);
  if (takes >= needs) return;
  throw new OperatorFault(
    `NATS takes messages of ${takes} bytes (max_payload), but with --frame-bytes-max ${frames.frameBytesMax} a frame can take ${needs}: lower the one, or raise the other`,
    EXIT.usage,
  );
}
