// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The RAM of a machine, which its client provides.
 *
 * @param mebibytes how much; QEMU must be told
 * @param file the file that is the RAM, if it does not come as a descriptor
 * @param sealed whether RAM is refused that is not sealed against shrinking
 */
public record MemoryPlan(int mebibytes, Optional<Path> file, boolean sealed) {

    /**
     * RAM that comes as a descriptor and need not be sealed.
     *
     * @param mebibytes how much
     * @return a plan
     */
    public static MemoryPlan of(int mebibytes) {
        return new MemoryPlan(mebibytes, Optional.empty(), false);
    }

    /**
     * The same in a file.
     *
     * @param other the file that is the RAM, or nothing if it comes as a descriptor
     * @return a plan
     */
    public MemoryPlan withFile(Optional<Path> other) {
        return new MemoryPlan(mebibytes, other, sealed);
    }
}
