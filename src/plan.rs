//! Tables of offsets, with which a debugger finds the fields of a queue.
//!
//! `debug/queues-gdb.py` prints the queues of a process or a core file. It calls no function of the
//! process and needs no debug information of the library. So each handle points to a table, which the
//! compiler computes: when a type changes, so does its table. The script knows what the fields mean;
//! [`VERSION`] states which scripts do.

/// Incremented with every change that an older script would misread.
const VERSION: u32 = 2;

/// "QUEUPLAN": the script looks for it.
const MAGIC: u64 = 0x5155_4555_504c_414e;
const MAX_FIELDS: usize = 16;

/// Named numbers: offsets in a queue, and sizes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    magic: u64,
    version: u32,
    count: u32,
    fields: [Field; MAX_FIELDS],
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Field {
    /// Padded with zeros.
    name: [u8; 12],
    value: u32,
}

impl Plan {
    pub(crate) const EMPTY: Self = Self {
        magic: MAGIC,
        version: VERSION,
        count: 0,
        fields: [Field { name: [0; 12], value: 0 }; MAX_FIELDS],
    };

    /// Adds a field. Does not compile if there are too many, or if the name is too long.
    pub(crate) const fn with(mut self, name: &str, value: usize) -> Self {
        assert!(value <= u32::MAX as usize);
        let field = &mut self.fields[self.count as usize];
        field.value = value as u32;
        let mut i = 0;
        while i < name.len() {
            field.name[i] = name.as_bytes()[i];
            i += 1;
        }
        self.count += 1;
        self
    }

    /// Adds all fields of another table, which are offsets in the value at `offset`.
    pub(crate) const fn within(mut self, offset: usize, inner: Self) -> Self {
        let mut i = 0;
        while i < inner.count as usize {
            let field = inner.fields[i];
            self.fields[self.count as usize] =
                Field { value: field.value + offset as u32, ..field };
            self.count += 1;
            i += 1;
        }
        self
    }
}

/// What a debugger reads in the head of a handle. The addresses lie in the queue.
pub(crate) struct Description {
    pub(crate) plan: &'static Plan,
    /// The address to which the offsets of the table are relative.
    pub(crate) start: *const u8,
    /// The addresses of the numbers of waiters: for an item, and for room.
    pub(crate) waiters: Option<[*const u8; 2]>,
}

/// A queue that a debugger can show.
pub(crate) trait Described {
    /// Called once, when the handle is created.
    fn describe(&self) -> Description;
}

/// The description of a queue without waiters.
pub(crate) fn described<Q>(queue: &Q, plan: &'static Plan) -> Description {
    Description { plan, start: core::ptr::from_ref(queue).cast(), waiters: None }
}
