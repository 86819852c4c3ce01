// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.input;

/** A trace is well-formed but cannot be played; the message is one line for the user. */
public final class UnusableTraceException extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception.
     *
     * @param message what is wrong, with the trace's name
     */
    public UnusableTraceException(String message) {
        super(message);
    }
}
