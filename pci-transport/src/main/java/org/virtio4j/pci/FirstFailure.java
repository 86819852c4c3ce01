// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.jspecify.annotations.Nullable;

/** What an embedder's callback threw while there were others to call: the first is thrown when all is done. */
final class FirstFailure {

    private @Nullable RuntimeException exception;
    private @Nullable Error error;

    void add(Throwable thrown) {
        Throwable first = exception == null ? error : exception;
        if (first == null) {
            exception = thrown instanceof RuntimeException unchecked ? unchecked : null;
            error = thrown instanceof Error serious ? serious : null;
        } else if (!first.equals(thrown)) {
            first.addSuppressed(thrown);
        }
    }

    void rethrow() {
        if (exception != null) {
            throw exception;
        }
        if (error != null) {
            throw error;
        }
    }
}
