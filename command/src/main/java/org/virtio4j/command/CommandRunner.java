// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.io.PrintStream;

/** Runs a command to its end: an exit status of its own, or one line that says what cannot be used. */
public final class CommandRunner {

    private static final long MUCH_MEBIBYTES = 256;

    private CommandRunner() {
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
     * Runs a command. Output that could not be written is a failure.
     *
     * @param out     where the command prints
     * @param err     where the one line goes
     * @param command what to run
     * @return the exit status
     */
    public static int run(PrintStream out, PrintStream err, Command command) {
        try {
            int status = command.run();
            if (out.checkError()) {
                throw new CommandFailure("standard output: expected to be written to, but that failed");
            }
            return status;
        } catch (CommandFailure failure) {
            err.println("virtio4j: " + failure.getMessage());
            return ExitStatus.UNUSABLE;
        } catch (IllegalCallerException refused) {
            // Native access was granted to another module; the message says to which it must be.
            err.println("virtio4j: " + refused.getMessage());
            return ExitStatus.UNUSABLE;
        } catch (OutOfMemoryError tooLittle) {
            err.println("virtio4j: out of memory: " + tooLittle.getMessage() + "; " + mend(tooLittle));
            return ExitStatus.FAILED;
        }
    }

    /** The JVM's own limits cover its heap and, by the same number, its buffers; the rest the system has refused. */
    private static String mend(OutOfMemoryError tooLittle) {
        String reason = String.valueOf(tooLittle.getMessage());
        boolean own = reason.contains("heap") || reason.contains("GC") || reason.contains("direct buffer");
        long mebibytes = Runtime.getRuntime().maxMemory() >> 20;
        return own ? "Java may use " + mebibytes + " MiB; ask for less, or give it more, such as"
                + " VIRTIO4J_JAVA_OPTS=-Xmx" + Math.max(MUCH_MEBIBYTES, 4 * mebibytes) + "m"
                : "the system refuses to give more; ask for less, or see its limits (ulimit -a)";
    }
}
