// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

/** A command cannot do what it was asked for; the message is the one line that the user is told. */
final class CommandFailure extends Exception {

    private static final long serialVersionUID = 1L;

    CommandFailure(String message) {
        super(message);
    }
}
