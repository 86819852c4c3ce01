// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

/** The exit statuses of this project's programs. What is not listed comes from the JVM or a signal. */
public final class ExitStatus {

    /** The command did what it was asked for. */
    public static final int OK = 0;
    /** The work failed: a result is not as expected, or there was not enough memory for what the input asks for. */
    public static final int FAILED = 1;
    /** The arguments or the input cannot be used, or the output cannot be written. */
    public static final int UNUSABLE = 2;
    /** What the command needs is not available. */
    public static final int NOT_STARTED = 3;
    /** The user has ended the command with Ctrl-C: 128 and the number of SIGINT, as shells do it. */
    public static final int INTERRUPTED = 130;

    private ExitStatus() {
    }
}
