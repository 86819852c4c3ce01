// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds out whether output goes to a terminal. */
public final class Terminal {

    private Terminal() {
    }

    /**
     * Whether standard error is a terminal. Java can tell only of input and output; where the system has a folder of
     * open files, it says the rest. There is no console at all, says JDK 25, where input is no terminal.
     *
     * @return true if it seems to be one
     */
    @SuppressWarnings("SystemConsoleNull")
    public static boolean isStandardError() {
        Console console = System.console();
        if (console == null || !console.isTerminal()) {
            return false;
        }
        Path link = Path.of("/proc/self/fd/2");
        try {
            String device = Files.isSymbolicLink(link) ? Files.readSymbolicLink(link).toString() : "/dev/tty";
            return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty") || device.equals("/dev/console");
        } catch (IOException unknown) {
            return true;
        }
    }
}
