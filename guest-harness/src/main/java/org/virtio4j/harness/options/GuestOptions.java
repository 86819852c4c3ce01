// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

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
 * @param platform what machine it is
 * @param console whether there is a console of this project, at which the shell is
 */
public record GuestOptions(Workload workload, int processors, int memoryMebibytes, Translation translation,
        boolean memoryByName, boolean qemuDevices, @Nullable Path qemu, @Nullable Path kernel,
        @Nullable Path nextKernel, Platform platform, boolean console) {

    /** How much of the disk a workload writes. */
    private static final int WORK_MEBIBYTES = 64;

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

    /**
     * A PC with two processors and 512 MiB, with this project's devices, Debian's kernel and a QEMU that is looked for.
     *
     * @param workload what it is to do
     * @return options
     */
    public static GuestOptions of(Workload workload) {
        return new GuestOptions(workload, 2, 512, Translation.LAZY, false, false, null, null, null,
                Platform.of(Architecture.X86_64), false);
    }

    /**
     * The same with other work.
     *
     * @param other what the guest is to do
     * @return options
     */
    public GuestOptions withWorkload(Workload other) {
        return new GuestOptions(other, processors, memoryMebibytes, translation, memoryByName, qemuDevices, qemu,
                kernel, nextKernel, platform, console);
    }

    /**
     * The same with other processors.
     *
     * @param count how many
     * @return options
     */
    public GuestOptions withProcessors(int count) {
        return new GuestOptions(workload, count, memoryMebibytes, translation, memoryByName, qemuDevices, qemu, kernel,
                nextKernel, platform, console);
    }

    /**
     * The same with other RAM.
     *
     * @param mebibytes how much
     * @return options
     */
    public GuestOptions withMemory(int mebibytes) {
        return new GuestOptions(workload, processors, mebibytes, translation, memoryByName, qemuDevices, qemu, kernel,
                nextKernel, platform, console);
    }

    /**
     * The same with another use of the IOMMU.
     *
     * @param other what Linux is to do with it
     * @return options
     */
    public GuestOptions withTranslation(Translation other) {
        return new GuestOptions(workload, processors, memoryMebibytes, other, memoryByName, qemuDevices, qemu, kernel,
                nextKernel, platform, console);
    }

    /**
     * The same with RAM that is or is not a file with a name.
     *
     * @param byName whether RAM is a file that can be opened by its name
     * @return options
     */
    public GuestOptions withMemoryByName(boolean byName) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, byName, qemuDevices, qemu, kernel,
                nextKernel, platform, console);
    }

    /**
     * The same with QEMU's devices or with this project's.
     *
     * @param own whether IOMMU, disk and entropy source are QEMU's own
     * @return options
     */
    public GuestOptions withQemuDevices(boolean own) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, memoryByName, own, qemu, kernel,
                nextKernel, platform, console);
    }

    /**
     * The same with another QEMU.
     *
     * @param program the file, or null to look for one
     * @return options
     */
    public GuestOptions withQemu(@Nullable Path program) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, memoryByName, qemuDevices, program,
                kernel, nextKernel, platform, console);
    }

    /**
     * The same with other kernels.
     *
     * @param first the kernel to boot, or null for Debian's
     * @param next the kernel that the guest starts if it starts another one, or null for the same
     * @return options
     */
    public GuestOptions withKernels(@Nullable Path first, @Nullable Path next) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, memoryByName, qemuDevices, qemu,
                first, next, platform, console);
    }

    /**
     * The same as another machine.
     *
     * @param other what machine it is
     * @return options
     */
    public GuestOptions withPlatform(Platform other) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, memoryByName, qemuDevices, qemu,
                kernel, nextKernel, other, console);
    }

    /**
     * What kind of processor the machine has.
     *
     * @return that of its platform
     */
    public Architecture architecture() {
        return platform.architecture();
    }

    /**
     * The same with or without a console of this project.
     *
     * @param served whether there is one, at which the shell is
     * @return options
     */
    public GuestOptions withConsole(boolean served) {
        return new GuestOptions(workload, processors, memoryMebibytes, translation, memoryByName, qemuDevices, qemu,
                kernel, nextKernel, platform, served);
    }

    /**
     * Whether the guest has a console of this project.
     *
     * @return whether to serve one
     */
    public boolean hasConsole() {
        return console || workload == Workload.CONSOLE;
    }

    /**
     * For the kernel's command line; what the kernel does not know goes to the script {@code init}. An emulated guest
     * is spared the test of its timer, which counts on a processor that nobody else uses and panics otherwise.
     *
     * @return words, each but the first with a blank before it
     */
    public String kernelOptions() {
        return "console=" + architecture().console() + " quiet panic=-1 no_timer_check printk.devkmsg=on "
                + translation.kernelOption() + workload.kernelOption() + " work=" + workload
                + (console ? " hvc=1" : "")
                + " mib=" + WORK_MEBIBYTES;
    }
}
