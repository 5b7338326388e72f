/**
 * Draws the board with ink. Ink writes each frame as text into a stream in memory, and `screen.ts` brings it to
 * the terminal: ink itself clears the terminal with its scrollback when the output is as high as the screen,
 * and draws nothing if the variable CI is set.
 */
import { Writable } from "node:stream";
import { render, useInput } from "ink";
import type { ReactElement } from "react";
import { Board, type BoardProps } from "./board.tsx";
import type { Size } from "./layout.ts";

export interface RendererOptions extends Pick<BoardProps, "title" | "hasStyles"> {
  /** The keyboard; `null` if there is none. */
  readonly keys: NodeJS.ReadStream | null;
  /** The user has asked for the end. */
  readonly quit: () => void;
}

export class Renderer {
  readonly #options: RendererOptions;
  readonly #frames: FrameStream;
  #ink: ReturnType<typeof render> | null = null;

  constructor(options: RendererOptions) {
    this.#options = options;
    this.#frames = new FrameStream();
  }

  /** The lines of the screen. */
  draw(view: BoardProps["view"], size: Size): readonly string[] {
    this.#frames.columns = size.columns;
    this.#frames.rows = size.rows;
    const screen = <Screen {...this.#options} view={view} size={size} />;
    if (this.#ink === null) this.#start(screen);
    else this.#ink.rerender(screen);
    return this.#frames.frame.split("\n").slice(0, size.rows);
  }

  stop(): void {
    this.#ink?.unmount();
  }

  #start(screen: ReactElement): void {
    const { keys } = this.#options;
    this.#ink = render(screen, {
      // Ink uses only what `FrameStream` has.
      stdout: this.#frames as unknown as NodeJS.WriteStream,
      ...(keys === null ? {} : { stdin: keys }),
      // Each frame is written in full, at once.
      debug: true,
      exitOnCtrlC: false,
      patchConsole: false,
      isScreenReaderEnabled: false,
    });
    // An error while it draws is thrown by `draw`.
    this.#ink.waitUntilExit().catch(() => undefined);
  }
}

function Screen({
  keys,
  quit,
  ...board
}: RendererOptions & Pick<BoardProps, "view" | "size">): ReactElement {
  return (
    <>
      {keys === null ? null : <Keys quit={quit} />}
      <Board {...board} />
    </>
  );
}

function Keys({ quit }: Pick<RendererOptions, "quit">): null {
  useInput((input, key) => {
    if (input === "q" || input === "Q" || (key.ctrl && input === "c")) quit();
  });
  return null;
}

/** Keeps the last frame. */
class FrameStream extends Writable {
  columns = 0;
  rows = 0;
  frame = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.frame = chunk.toString();
    done();
  }
}
