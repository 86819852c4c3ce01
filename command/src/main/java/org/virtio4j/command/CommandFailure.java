// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

/** A command cannot do what it was asked for; the message is the one line that the user sees. */
public final class CommandFailure extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * Makes a failure.
     *
     * @param message what was expected and what was found, on one line
     */
    public CommandFailure(String message) {
        super(message);
    }
}
