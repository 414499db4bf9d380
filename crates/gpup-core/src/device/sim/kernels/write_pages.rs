//! WRITE_PAGES: stamps over pages, to dirty memory at a set rate and in a set pattern.

use crate::PAGE_SIZE;
use crate::device::abi::{FaultCode, WRITE_PAGES_MAX};
use crate::device::sim::command::WritePages;
use crate::device::sim::memory::VfMemory;
use crate::device::stamp;

/// Stamps between two looks at whether the command must end.
const STAMPS_A_LOOK: u64 = 256;

pub(super) fn run(memory: &mut VfMemory<'_>, op: &WritePages) -> Result<(), FaultCode> {
    if op.count == 0 || op.count > WRITE_PAGES_MAX || op.pages == 0 {
        return Err(FaultCode::BadParameter);
    }
    if !op.base.is_multiple_of(PAGE_SIZE) {
        return Err(FaultCode::Misaligned);
    }
    let bytes = op.pages.checked_mul(PAGE_SIZE).ok_or(FaultCode::OutOfRange)?;
    memory.check(op.base, bytes)?;
    for number in 0..u64::from(op.count) {
        if number % STAMPS_A_LOOK == 0 {
            memory.proceed()?;
        }
        let index = op.index.wrapping_add(number);
        let page = stamp::page(op.pattern, op.seed, index, op.pages);
        memory.write(op.base + page * PAGE_SIZE, &stamp::bytes(op.seed, index))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::device::abi::Pattern;
    use crate::device::sim::command::Command;

    const GOOD: WritePages =
        WritePages { base: 4096, pages: 3, index: 5, count: 2, pattern: Pattern::Sequential, seed: 9 };

    #[test]
    fn stamps_lie_where_the_pattern_says() {
        let mut bench = Bench::new(4);
        bench.run(&Command::WritePages(GOOD)).unwrap();
        assert_eq!(bench.read(4096 + 2 * 4096, 64), stamp::bytes(9, 5));
        assert_eq!(bench.read(4096, 64), stamp::bytes(9, 6));
        assert_eq!(bench.read(4096 + 64, 8192 - 64), vec![0; 8192 - 64]);
    }

    #[test]
    fn limits_hold() {
        let run = |write| Bench::new(4).run(&Command::WritePages(write));
        assert_eq!(run(WritePages { index: u64::MAX, ..GOOD }), Ok(()));
        assert_eq!(run(WritePages { count: 0, ..GOOD }), Err(FaultCode::BadParameter));
        assert_eq!(run(WritePages { count: WRITE_PAGES_MAX + 1, ..GOOD }), Err(FaultCode::BadParameter));
        assert_eq!(run(WritePages { pages: 0, ..GOOD }), Err(FaultCode::BadParameter));
        assert_eq!(run(WritePages { base: 8, ..GOOD }), Err(FaultCode::Misaligned));
        assert_eq!(run(WritePages { pages: 4, ..GOOD }), Err(FaultCode::OutOfRange));
        assert_eq!(run(WritePages { pages: u64::MAX, ..GOOD }), Err(FaultCode::OutOfRange));
    }
}
