import HummingbirdCore
import Testing

@testable import GatehouseWeb

@Suite("Cookies of requests")
struct CookieTests {
  @Test(arguments: [
    ("gatehouse_session=gs_1", "gs_1"), ("a=b; gatehouse_session=gs_1;c=d", "gs_1"),
    ("xgatehouse_session=no; gatehouse_session=gs_1; gatehouse_session=gs_2", "gs_1"),
    ("gatehouse_session_2=no;\tgatehouse_session=a=b==", "a=b=="), ("gatehouse_session=", ""),
    ("gatehouse_session", nil), ("Gatehouse_Session=gs_1", nil), ("", nil), (";;; ;=;", nil),
    ("ü=é; gatehouse_session=ñ", "ñ"),
  ])
  func theFirstOfANameCounts(header: String, value: String?) {
    #expect(Request.value(ofCookie: "gatehouse_session", in: header) == value)
  }
}
