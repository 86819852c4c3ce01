// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A program of the machine that is needed to build another. */
final class BuildTool {

    private BuildTool() {
    }

    /**
     * Runs it to its end.
     *
     * @return what it printed
     * @throws MissingException if it cannot be started, or fails
     */
    static String run(List<String> command) throws MissingException, InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new MissingException(command.getFirst() + ": "
                        + said.lines().findFirst().orElse("failed without a word"));
            }
            return said;
        } catch (IOException absent) {
            throw new MissingException("no " + command.getFirst() + " found", absent);
        }
    }

    /** Something is not there that a column needs. The message is one line. */
    static final class MissingException extends Exception {

        private static final long serialVersionUID = 1L;

        MissingException(String message) {
            super(message);
        }

        MissingException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
