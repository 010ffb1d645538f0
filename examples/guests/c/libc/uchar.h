#ifndef UCHAR_H
#define UCHAR_H
typedef __CHAR16_TYPE__ char16_t;
#endif
