// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.memory;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * All memory of the process, at offsets that are addresses. Nothing is checked: a wrong address ends the process, or
 * worse. For code whose addresses come only from its own arithmetic on memory that it keeps mapped.
 */
public final class AllMemory {

    /** Says whether memory is reached with checks all the same: {@code true}, or {@code false}, the default. */
    public static final String CHECKED_PROPERTY = "virtio4j.table.checked";

    private AllMemory() {
    }

    /**
     * The segment, for a constant: only then the compiler leaves every check out.
     *
     * @return a segment that begins at address 0 and has no end; null where native access is not allowed, or where
     *         {@value #CHECKED_PROPERTY} says anything but {@code false}
     */
    @SuppressWarnings("restricted") // this is what the restriction is about; see above who may use it
    public static @Nullable MemorySegment segment() {
        boolean checked = !System.getProperty(CHECKED_PROPERTY, "false").equals("false");
        return checked || !NativeMemory.available() ? null : MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }
}
