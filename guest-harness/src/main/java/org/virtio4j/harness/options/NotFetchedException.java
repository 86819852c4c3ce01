// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

/** Something could not be fetched, and the user has been told already why and what to do. */
public final class NotFetchedException extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception.
     *
     * @param what could not be fetched
     */
    public NotFetchedException(String what) {
        super(what);
    }
}
