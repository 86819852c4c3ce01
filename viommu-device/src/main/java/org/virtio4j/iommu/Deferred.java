// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.jspecify.annotations.Nullable;

/**
 * What an embedder's callbacks have thrown in the middle of a change: the change is brought to a consistent end first,
 * and the exception comes out after it. Under the control lock.
 */
final class Deferred {

    private @Nullable Throwable thrown;

    @SuppressWarnings("ReferenceEquality") // an exception is not its own companion
    void keep(Throwable failure) {
        if (thrown == null) {
            thrown = failure;
        } else if (thrown != failure) {
            thrown.addSuppressed(failure);
        }
    }

    /** Throws what was kept, once. */
    void throwKept() {
        Throwable kept = thrown;
        thrown = null;
        if (kept instanceof RuntimeException exception) {
            throw exception;
        }
        if (kept instanceof Error error) {
            throw error;
        }
    }
}
