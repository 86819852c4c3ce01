// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;

/**
 * What a loop throws after it has told all that its device needs to tell: the failure was this queue's, which has said
 * so, or another device's, which is none of this one's business. Code that catches it further out, on the same thread,
 * has nothing to add. What comes from a device's own code bears no such mark.
 */
final class ToldFailure {

    private static final ThreadLocal<WeakReference<Throwable>> LAST = new ThreadLocal<>();

    private ToldFailure() {
    }

    /** Throws on, if there is something to throw. */
    static void rethrow(@Nullable Throwable told) {
        if (told != null) {
            LAST.set(new WeakReference<>(told));
            FirstFailure.throwIt(told);
        }
    }

    /** Whether this was thrown on by a loop, as the last on this thread. */
    static boolean is(Throwable thrown) {
        WeakReference<Throwable> last = LAST.get();
        return last != null && last.refersTo(thrown);
    }
}
