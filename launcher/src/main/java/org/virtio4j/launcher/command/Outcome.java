// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.command;

import java.io.PrintStream;

/** How a command ends: with its own exit status, or with one line that says what cannot be used. */
public final class Outcome {

    /** Exit status when the arguments or the input cannot be used, or the output not be written. */
    public static final int UNUSABLE = 2;

    private Outcome() {
    }

    /** What a command does. */
    public interface Command {

        /**
         * Runs the command.
         *
         * @return its exit status
         * @throws CommandFailure if something cannot be used
         */
        int run() throws CommandFailure;
    }

    /**
     * Runs a command, and sees to it that output that was lost does not pass for success.
     *
     * @param out     where the command has printed to
     * @param err     where the one line goes
     * @param command what to run
     * @return the exit status
     */
    public static int of(PrintStream out, PrintStream err, Command command) {
        try {
            int status = command.run();
            if (out.checkError()) {
                throw new CommandFailure("standard output: expected to be written to, but that failed");
            }
            return status;
        } catch (CommandFailure failure) {
            err.println("virtio4j: " + failure.getMessage());
            return UNUSABLE;
        }
    }
}
