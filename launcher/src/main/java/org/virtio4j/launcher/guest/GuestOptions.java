// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What kind of guest to run.
 *
 * @param workload what it is to do
 * @param processors the number of its processors
 * @param memoryMebibytes its RAM
 * @param translation what Linux is to do with its IOMMU
 * @param memoryByName whether RAM is a file that can be opened by its name, not one that is handed over
 * @param qemuDevices whether IOMMU, disk and entropy source are QEMU's own
 * @param qemu the QEMU to use, or null to look for one
 * @param kernel the kernel to boot, or null for Debian's
 * @param nextKernel the kernel that the guest starts if it starts another one, or null for the same
 * @param architecture what machine it is
 */
public record GuestOptions(Workload workload, int processors, int memoryMebibytes, Translation translation,
        boolean memoryByName, boolean qemuDevices, @Nullable Path qemu, @Nullable Path kernel,
        @Nullable Path nextKernel, Architecture architecture) {

    /** How Linux uses an IOMMU. */
    public enum Translation {
        /** Mappings that are not needed any more are taken away later, many at once. */
        LAZY("DMA-FQ", "iommu.strict=0"),
        /** Mappings that are not needed any more are taken away at once. */
        STRICT("DMA", "iommu.strict=1"),
        /** Devices see physical addresses. */
        PASSTHROUGH("identity", "iommu.passthrough=1");

        private final String groupType;
        private final String kernelOption;

        Translation(String groupType, String kernelOption) {
            this.groupType = groupType;
            this.kernelOption = kernelOption;
        }

        /**
         * How Linux calls it, in {@code /sys/kernel/iommu_groups/N/type}.
         *
         * @return the type of a group
         */
        public String groupType() {
            return groupType;
        }

        String kernelOption() {
            return kernelOption;
        }
    }

    /** The same with other work and other devices. */
    GuestOptions with(Workload newWorkload, boolean newQemuDevices) {
        return new GuestOptions(newWorkload, processors, memoryMebibytes, translation, memoryByName, newQemuDevices,
                qemu, kernel, nextKernel, architecture);
    }

    /**
     * For the kernel's command line; what the kernel does not know goes to the script {@code init}. An emulated guest
     * is spared the test of its timer, which counts on a processor that nobody else uses and panics otherwise.
     */
    String kernelOptions() {
        return "console=" + architecture.console() + " quiet panic=-1 no_timer_check printk.devkmsg=on "
                + translation.kernelOption() + workload.kernelOption() + " work=" + workload
                + " mib=" + Guest.WORK_MEBIBYTES;
    }
}
