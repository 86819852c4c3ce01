// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What the command refuses before it needs a QEMU. */
class GuestCommandTest {

    @Test
    void shouldSayHowItIsUsed() {
        CommandRun run = CommandRun.of("guest", "--help");
        assertEquals(0, run.status());
        assertTrue(run.out().lines().anyMatch(line -> line.matches(" +verify +write 64 MiB and read them back.*")),
                run.out());
        assertTrue(run.out().lines().allMatch(line -> line.length() <= 100), run.out());
    }

    @Test
    void shouldSayHowItIsUsedToWhoGivesOperandsToo() {
        CommandRun help = CommandRun.of("guest", "--help");
        assertEquals(help, CommandRun.of("guest", "--help", "verify"));
        assertEquals(help, CommandRun.of("guest", "verify", "--cpus", "0", "--help"));
    }

    @Test
    void shouldNameTheNearestWorkload() {
        assertRefused("unknown workload 'verfiy'; did you mean verify?", "--workload", "verfiy");
    }

    @Test
    void shouldRefuseNumbersOutOfRange() {
        assertRefused("option --cpus: expected 1 to 64, found '0'", "--cpus", "0");
        assertRefused("option --memory: expected 384 to 1048576, found '512M'", "--memory", "512M");
    }

    @Test
    void shouldRefuseTwoKindsOfTranslation() {
        assertRefused("expected --strict or --passthrough, found both", "--strict", "--passthrough");
    }

    @Test
    void shouldRefuseOperands() {
        assertRefused("expected options only, found 'verify'", "verify");
        assertRefused("expected options only, found '-'", "-");
        assertRefused("expected options only, found '--help'", "--", "--help");
    }

    @Test
    void shouldRefuseToMakeQemusDevicesMisbehave() {
        assertRefused("workload fault: expected devices that can be made to misbehave, found --qemu-devices",
                "--workload", "fault", "--qemu-devices");
    }

    @Test
    void shouldCompareTheWorkloadThatIsTimedAlone() {
        String message = "option --compare: expected workload verify and neither --qemu-devices nor --record";
        assertRefused(message, "--compare", "--workload", "fs");
        assertRefused(message, "--compare", "--qemu-devices");
    }

    @Test
    void shouldRefuseToRecordWhatItCannot() {
        assertRefused("option --record: expected devices of this project to record, found --qemu-devices",
                "--record", "some.trace", "--qemu-devices");
        assertRefused("/none/some.trace: expected a file that can be written, found: no such folder",
                "--record", "/none/some.trace");
    }

    @Test
    void shouldRefuseNextKernelThatNobodyStarts() {
        assertRefused("option --next-kernel: expected workload kexec or crash, found verify",
                "--next-kernel", "/boot/vmlinuz");
    }

    @Test
    void shouldRefuseQemuThatIsNone() {
        assertRefused("/bin/true: expected a qemu-system-x86_64 that runs on this machine, found something else",
                "--qemu", "/bin/true");
    }

    @Test
    void shouldNameArchitectures() {
        assertRefused("unknown arch 'arm46'; did you mean arm64?", "--arch", "arm46");
        assertRefused("unknown arch 'aarch64'; expected one of x86_64 arm64 riscv64", "--arch", "aarch64");
        assertRefused("unknown arch 's390x'; expected one of x86_64 arm64 riscv64", "--arch", "s390x");
    }

    @Test
    void shouldRefuseWorkThatAnArchitectureCannotDo() {
        assertRefused("workload kexec: expected --arch x86_64, found arm64", "--arch", "arm64", "--workload", "kexec");
        assertRefused("workload fault: expected --arch x86_64 or arm64, found riscv64",
                "--workload", "fault", "--arch", "riscv64");
    }

    @Test
    void shouldRefuseInterruptsOfAnotherArchitecture() {
        assertRefused("option --interrupts: expected its or gicv2m with arm64, found plic",
                "--arch", "arm64", "--interrupts", "plic");
        assertRefused("option --interrupts: expected imsic or plic with riscv64, found its",
                "--arch", "riscv64", "--interrupts", "its");
        assertRefused("option --interrupts: expected --arch arm64, found x86_64", "--interrupts", "gicv2m");
        assertRefused("unknown interrupts 'gicv2'; did you mean gicv2m?", "--interrupts", "gicv2");
    }

    @Test
    void shouldRefusePagesThatNoKernelHas() {
        assertRefused("option --page-size: expected 4 or 16, found '64'", "--arch", "arm64", "--page-size", "64");
        assertRefused("option --page-size: expected 4, or --arch arm64, found 16", "--page-size", "16");
    }

    @Test
    void shouldRefuseMoreProcessorsThanTheBoardHas() {
        assertRefused("option --cpus: expected 1 to 8 with gicv2m, found 9",
                "--arch", "arm64", "--interrupts", "gicv2m", "--cpus", "9");
    }

    @Test
    void shouldRefuseToUseAnIommuWithoutItsDriver() {
        for (String option : new String[] {"--strict", "--passthrough", "--qemu-devices", "--compare"}) {
            assertRefused("option " + option
                    + ": expected --arch x86_64 or arm64, whose Linux has a driver of the IOMMU, found riscv64",
                    "--arch", "riscv64", option);
        }
    }

    @Test
    void shouldRefuseQemuOfAnotherKind() {
        assertRefused("/bin/true: expected a qemu-system-aarch64 that runs on this machine, found something else",
                "--arch", "arm64", "--qemu", "/bin/true");
    }

    private static void assertRefused(String message, String... args) {
        String[] all = new String[args.length + 1];
        all[0] = "guest";
        System.arraycopy(args, 0, all, 1, args.length);
        CommandRun run = CommandRun.of(all);
        assertEquals("virtio4j: " + message + "\n", run.err());
        assertEquals(2, run.status());
        assertEquals("", run.out());
    }
}
