// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The embedder's end of a {@link VirtioConsole}. A {@link java.nio.channels.WritableByteChannel} is one by its method:
 * {@code new VirtioConsole(channel::write)}.
 */
@FunctionalInterface
public interface ConsoleTerminal {

    /**
     * Takes what the guest puts out: as many bytes as it can, from the buffer's position to its limit, and moves the
     * position. The rest is offered again, at once if it took some, and otherwise after {@link
     * VirtioConsole#outputReady}. No byte is offered twice.
     *
     * <p>Called by the console's thread, under no lock. It may wait, but a reset of the guest's device waits with it.
     * To take no bytes and call {@code outputReady} later keeps nobody waiting.
     *
     * @param bytes good until this returns
     * @throws IOException if the output is broken: the guest's device needs a reset then, and tries again after it
     */
    void write(ByteBuffer bytes) throws IOException;

    /**
     * The guest has taken input, and there is room for what {@link VirtioConsole#input} has left. Called at least
     * once after each call of that method that left something, by whichever thread serves the guest, under no lock. May
     * call {@code input}; must not wait.
     */
    default void inputTaken() {
    }

    /** The console is closed: no other call comes after this. On the thread that closes it. */
    default void closed() {
    }
}
