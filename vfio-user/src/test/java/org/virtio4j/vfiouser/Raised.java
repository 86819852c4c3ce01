// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

/** Lets a callback throw what a test chose. */
final class Raised {

    private Raised() {
    }

    /** Throws it, if it is a RuntimeException or an Error. */
    static void raise(Throwable thrown) {
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
    }
}
