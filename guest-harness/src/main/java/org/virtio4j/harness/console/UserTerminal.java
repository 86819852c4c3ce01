// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.Semaphore;
import org.virtio4j.endpoint.ConsoleTerminal;
import org.virtio4j.endpoint.VirtioConsole;

/**
 * Standard input and output of this process as the terminal of a guest's console. It stays in line mode: a line is sent
 * when it is complete, and Ctrl-C is for this process.
 */
public final class UserTerminal implements ConsoleTerminal {

    private static final int PIECE = 1 << 12;

    private final FileChannel screen = new FileOutputStream(FileDescriptor.out).getChannel();
    private final Semaphore room = new Semaphore(0);

    private UserTerminal() {
    }

    /**
     * A console at standard input and output.
     *
     * @return the console, which belongs to the caller
     */
    public static VirtioConsole console() {
        UserTerminal terminal = new UserTerminal();
        VirtioConsole console = new VirtioConsole(terminal);
        // Nothing ends the wait for a line that nobody types, so the thread ends with the process.
        Thread.ofPlatform().daemon().name("typing").start(() -> terminal.read(console));
        return console;
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
        screen.write(bytes);
    }

    @Override
    public void inputTaken() {
        room.release();
    }

    private void read(VirtioConsole console) {
        byte[] line = new byte[PIECE];
        try (FileInputStream keyboard = new FileInputStream(FileDescriptor.in)) {
            for (int length = keyboard.read(line); length >= 0; length = keyboard.read(line)) {
                ByteBuffer typed = ByteBuffer.wrap(line, 0, length);
                console.input(typed);
                while (typed.hasRemaining()) {
                    room.acquire();
                    console.input(typed);
                }
            }
        } catch (IOException | InterruptedException ended) {
            // As at the end of the input: the guest gets no more.
        }
    }
}
