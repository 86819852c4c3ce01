// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

/** No guest can be run with what there is; the message is one line for the user and says what to change. */
public final class UnusableGuestException extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception.
     *
     * @param message what is wrong
     */
    public UnusableGuestException(String message) {
        super(message);
    }
}
